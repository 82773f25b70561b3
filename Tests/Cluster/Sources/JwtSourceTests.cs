using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Broker.Grains.Interfaces.Messages;
using Broker.Tests.Cluster.Harness;
using Broker.Tests.Protocol.Harness;
using Broker.Tests.Protocol.Transport;
using Microsoft.Extensions.Options;
using Xunit;

namespace Broker.Tests.Cluster.Sources;

/// <summary>Tokens, which the tests sign with the framework's primitives and not with the library that the broker checks them with.</summary>
public sealed class JwtSourceTests : IDisposable
{
    private const string Secret = "emqxsecret";
    private static readonly DateTimeOffset Now = DateTimeOffset.UtcNow;
    private readonly TestCertificates files = new();

    public static TheoryData<string> Algorithms =>
        ["HS256", "HS384", "HS512", "RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512"];

    [Theory]
    [MemberData(nameof(Algorithms))]
    public async Task SignedTokenIsTaken_AndAnAlteredOneIsNot(string algorithm)
    {
        using var signer = new TokenSigner(algorithm, Secret);
        await using var broker = await OpenAsync(signer.PublicKey(files.FileOf("key.pem")) is { } file ? ("PublicKeyFile", file) : ("Secret", Secret));
        var token = signer.Sign("""{"sub":"x"}""");
        Assert.Equal(ReasonCode.Success, await ConnectAsync(broker, token));
        var parts = token.Split('.');
        var altered = $"{parts[0]}.{TokenSigner.Encode("""{"sub":"y"}"""u8)}.{parts[2]}";
        foreach (var bad in new[] { altered, token[..^8] + "AAAAAAAA", token[..(token.LastIndexOf('.') + 1)] }) Assert.Equal((bad, ReasonCode.BadUserNameOrPassword), (bad, await ConnectAsync(broker, bad)));
        using var other = new TokenSigner(algorithm, "another secret");
        Assert.Equal(ReasonCode.BadUserNameOrPassword, await ConnectAsync(broker, other.Sign("{}")));
    }

    [Theory]
    [InlineData("ES256")]
    [InlineData("ES384")]
    [InlineData("ES512")]
    public async Task SignatureMayBeWrittenInDer(string algorithm)
    {
        using var signer = new TokenSigner(algorithm, Secret) { IsDer = true };
        await using var broker = await OpenAsync(("PublicKeyFile", signer.PublicKey(files.FileOf("key.pem"))!));
        for (var i = 0; i < 20; i++) Assert.Equal(ReasonCode.Success, await ConnectAsync(broker, signer.Sign($$"""{"n":{{i}}}"""))); // the numbers' lengths differ
    }

    [Fact]
    public async Task NothingButASignatureIsTaken()
    {
        using var signer = new TokenSigner("RS256", Secret);
        var file = signer.PublicKey(files.FileOf("key.pem"))!;
        await using var broker = await OpenAsync(("PublicKeyFile", file));
        // The public key is known to everybody: as a secret it proves nothing.
        foreach (var secret in new[] { File.ReadAllText(file), File.ReadAllText(file).TrimEnd() })
        {
            using var forger = new TokenSigner("HS256", secret);
            Assert.Equal(ReasonCode.BadUserNameOrPassword, await ConnectAsync(broker, forger.Sign("{}")));
        }

        foreach (var none in new[] { "none", "None", "NONE", "" })
        {
            var unsigned = $"{TokenSigner.Encode(Encoding.UTF8.GetBytes($$"""{"alg":"{{none}}"}"""))}.{TokenSigner.Encode("{}"u8)}.";
            Assert.NotEqual((none, ReasonCode.Success), (none, await ConnectAsync(broker, unsigned)));
        }

        Assert.Equal(ReasonCode.BadUserNameOrPassword, await ConnectAsync(broker, signer.Sign("{}", """{"alg":"RS256","crit":["exp"]}""")));
        Assert.Equal(ReasonCode.Success, await ConnectAsync(broker, signer.Sign("{}")));
    }

    [Theory]
    [InlineData("")]
    [InlineData("public")]
    [InlineData("a.b.c")]
    [InlineData("..")]
    [InlineData("eyJhbGciOiJIUzI1NiJ9.e30")]
    [InlineData("eyJhbGciOiJIUzI1NiJ9.WzFd.AAAA")] // the claims are no object
    [InlineData("eyJhbGciOiJIUzI1NiJ9.eyJhIjoxLCJhIjoyfQ.AAAA")] // a claim is there twice
    [InlineData("eyJhbGciOiJIUzI1NiJ9.!!!.AAAA")]
    [InlineData("a.b.c.d.e")]
    public async Task OthersAreAsked_WhenItIsNoToken(string password)
    {
        await using var broker = await OpenAsync(("Secret", Secret), ("Security:BuiltIn:Users:0:UserName", "emqx"), ("Security:BuiltIn:Users:0:Password", "p" + password), ("Security:AuthenticationOrder:0", "jwt"));
        Assert.Equal(ReasonCode.BadUserNameOrPassword, await ConnectAsync(broker, password)); // says the built-in source
        Assert.Equal(ReasonCode.Success, await ConnectAsync(broker, "p" + password));
    }

    public static TheoryData<string, bool> Times() => new()
    {
        { """{"exp":+60}""", true }, { """{"exp":-1}""", false }, { """{"exp":"+60"}""", true }, { """{"exp":"soon"}""", false }, { """{"exp":true}""", false },
        { """{"nbf":-1}""", true }, { """{"nbf":+60}""", false }, { """{"iat":-1}""", true }, { """{"iat":+60}""", false }, { """{"exp":+60.5,"nbf":-1,"iat":-1}""", true }, { """{"exp":1e400}""", false },
    };

    [Theory]
    [MemberData(nameof(Times))]
    public async Task TimesAreChecked(string claims, bool isTaken)
    {
        using var signer = new TokenSigner("HS256", Secret);
        await using var broker = await OpenAsync(("Secret", Secret));
        var now = broker.Clock.GetUtcNow().ToUnixTimeSeconds();
        var absolute = System.Text.RegularExpressions.Regex.Replace(claims, @"(?<=[:""])[+-]\d+", match => (now + int.Parse(match.Value, CultureInfo.InvariantCulture)).ToString(CultureInfo.InvariantCulture));
        Assert.Equal(isTaken, await ConnectAsync(broker, signer.Sign(absolute)) == ReasonCode.Success);
    }

    [Theory]
    [InlineData("""{"user":"emqx","id":"c1","kind":"device"}""", true)]
    [InlineData("""{"user":"emqx","id":"c1","kind":"Device"}""", false)]
    [InlineData("""{"user":"other","id":"c1","kind":"device"}""", false)]
    [InlineData("""{"user":"emqx","id":"c2","kind":"device"}""", false)]
    [InlineData("""{"user":"emqx","id":"c1"}""", false)]
    [InlineData("""{"user":["emqx"],"id":"c1","kind":"device"}""", false)]
    [InlineData("""{"user":"%u","id":"%c","kind":"device"}""", false)]
    public async Task ClaimsMustBeWhatIsConfigured(string claims, bool isTaken)
    {
        using var signer = new TokenSigner("HS256", Secret);
        await using var broker = await OpenAsync(("Secret", Secret), ("VerifyClaims:user", "%u"), ("VerifyClaims:id", "%c"), ("VerifyClaims:kind", "device"));
        Assert.Equal(isTaken ? ReasonCode.Success : ReasonCode.BadUserNameOrPassword, await ConnectAsync(broker, signer.Sign(claims), "c1"));
    }

    [Fact]
    public async Task TokenMayBeTheUserName()
    {
        using var signer = new TokenSigner("HS256", Secret);
        await File.WriteAllTextAsync(files.FileOf("secret"), Secret + "\n", TestContext.Current.CancellationToken);
        await using var broker = await OpenAsync(("SecretFile", files.FileOf("secret")), ("From", "username"));
        Assert.Equal(ReasonCode.Success, await SourceBroker.ConnectAsync(broker, signer.Sign("{}"), null));
        Assert.Equal(ReasonCode.NotAuthorized, await SourceBroker.ConnectAsync(broker, "emqx", signer.Sign("{}")));
    }

    [Theory]
    [InlineData("id", "pub/x", false, true)]
    [InlineData("id", "sub/x", true, false)]
    [InlineData("id", "all/id/emqx", true, true)]
    [InlineData("id", "all/other/emqx", false, false)]
    [InlineData("id", "elsewhere", false, false)]
    public async Task ClaimIsAnAllowList(string clientId, string topic, bool subscribe, bool publish)
    {
        using var signer = new TokenSigner("HS256", Secret);
        await using var broker = await OpenAsync(("Secret", Secret));
        await using var client = await SourceBroker.LogInAsync(broker, clientId, "emqx", signer.Sign("""{"acl":{"pub":["pub/+",7],"sub":["sub/#"],"all":["all/%c/%u"],"other":["elsewhere"]}}"""));
        Assert.Equal((subscribe, publish), await SourceBroker.MayAsync(client, topic));
    }

    [Theory]
    [InlineData("""{}""", true)]
    [InlineData("""{"acl":{}}""", false)]
    [InlineData("""{"acl":null}""", false)]
    [InlineData("""{"acl":["a"]}""", false)]
    [InlineData("""{"acl":{"all":"a"}}""", false)]
    [InlineData("""{"rights":{"all":["a"]}}""", true)]
    public async Task ListThatIsNoneAllowsNothing_AndNoListLeavesItToOthers(string claims, bool isAllowed)
    {
        using var signer = new TokenSigner("HS256", Secret);
        await using var broker = await OpenAsync(("Secret", Secret));
        await using var client = await SourceBroker.LogInAsync(broker, "id", "emqx", signer.Sign(claims));
        Assert.Equal((isAllowed, isAllowed), await SourceBroker.MayAsync(client, "a"));
    }

    [Fact]
    public async Task ListEndsWithItsToken()
    {
        using var signer = new TokenSigner("HS256", Secret);
        await using var broker = await OpenAsync(("Secret", Secret));
        var end = broker.Clock.GetUtcNow().ToUnixTimeSeconds() + 30;
        await using var client = await SourceBroker.LogInAsync(broker, "id", "emqx", signer.Sign($$$"""{"exp":{{{end}}},"acl":{"all":["a"]}}"""));
        Assert.Equal((true, true), await SourceBroker.MayAsync(client, "a"));
        Assert.Equal((true, true), await SourceBroker.MayAsync(client, "a"));
        broker.Advance(TimeSpan.FromSeconds(31)); // answers are remembered for a minute, but not for longer than the token holds
        Assert.Equal((false, false), await SourceBroker.MayAsync(client, "a"));
    }

    [Fact]
    public async Task PublishedKeysAreUsed_AndReadAgainWhenThereIsANewOne()
    {
        using var first = new TokenSigner("RS256", Secret) { KeyId = "first" };
        using var second = new TokenSigner("ES256", Secret) { KeyId = "second" };
        using var secret = new TokenSigner("HS256", "short") { KeyId = "third" };
        var set = Set(first);
        await using var server = new WebService(_ => new WebAnswer(200, set));
        await server.StartAsync();
        await using var broker = await OpenAsync(("JwksUrl", $"http://127.0.0.1:{server.Port}/keys"), ("Secret", Secret));
        Assert.Equal(ReasonCode.Success, await ConnectAsync(broker, first.Sign("{}")));
        Assert.Equal(ReasonCode.NotAuthorized, await ConnectAsync(broker, second.Sign("{}"))); // no source knows it
        using var own = new TokenSigner("HS256", Secret);
        Assert.Equal(ReasonCode.Success, await ConnectAsync(broker, own.Sign("{}"))); // it names no key
        set = Set(second, secret);
        broker.Advance(TimeSpan.FromSeconds(6));
        Assert.Equal(ReasonCode.Success, await ConnectAsync(broker, second.Sign("{}")));
        Assert.Equal(ReasonCode.Success, await ConnectAsync(broker, secret.Sign("{}")));
        Assert.Equal(ReasonCode.NotAuthorized, await ConnectAsync(broker, first.Sign("{}"))); // it was taken back
        var asked = server.Requests.Length;
        for (var i = 0; i < 50; i++) await ConnectAsync(broker, new TokenSigner("HS256", Secret) { KeyId = $"made up {i}" }.Sign("{}"));
        Assert.InRange(server.Requests.Length - asked, 0, 1);
    }

    [Fact]
    public async Task KeysStay_WhileTheirAddressIsGone()
    {
        using var signer = new TokenSigner("RS256", Secret) { KeyId = "first" };
        var status = 500;
        await using var server = new WebService(_ => new WebAnswer(status, Set(signer)));
        await using var broker = await OpenAsync(("JwksUrl", $"http://127.0.0.1:{server.Port}/keys"), ("JwksRefreshInterval", "00:00:10"));
        Assert.Equal(ReasonCode.ServerUnavailable, await ConnectAsync(broker, signer.Sign("{}"))); // nobody listens
        await server.StartAsync();
        broker.Advance(TimeSpan.FromSeconds(6));
        Assert.Equal(ReasonCode.ServerUnavailable, await ConnectAsync(broker, signer.Sign("{}")));
        status = 200;
        broker.Advance(TimeSpan.FromSeconds(6));
        Assert.Equal(ReasonCode.Success, await ConnectAsync(broker, signer.Sign("{}")));
        await server.KillAsync();
        broker.Advance(TimeSpan.FromSeconds(20));
        Assert.Equal(ReasonCode.Success, await ConnectAsync(broker, signer.Sign("{}")));
        using var other = new TokenSigner("RS256", Secret) { KeyId = "second" };
        Assert.Equal(ReasonCode.ServerUnavailable, await ConnectAsync(broker, other.Sign("{}"))); // who knows?
    }

    [Fact]
    public async Task KeyMayBeACertificates()
    {
        using var signed = files.Sign("signer", "CN=signer", rsa: true);
        using var key = RSA.Create();
        key.ImportFromPem(await File.ReadAllTextAsync(files.FileOf("signer.key"), TestContext.Current.CancellationToken));
        using var signer = new TokenSigner("RS256", key);
        await using var broker = await OpenAsync(("PublicKeyFile", files.FileOf("signer.pem")));
        Assert.Equal(ReasonCode.Success, await ConnectAsync(broker, signer.Sign("{}")));
    }

    [Theory]
    [InlineData("PublicKeyFile", "garbage", ":PublicKeyFile = ")]
    [InlineData("PublicKeyFile", "/nowhere", ":PublicKeyFile = /nowhere: there is no such file")]
    [InlineData("JwksUrl", "keys.json", ":JwksUrl = 'keys.json' is no http or https address")]
    [InlineData("VerifyClaims:exp", "1", ":VerifyClaims:exp: times are always checked")]
    [InlineData("From", "topic", "From")]
    public async Task BadSettingsStopTheStart(string key, string value, string message)
    {
        if (value == "garbage") await File.WriteAllTextAsync(value = files.FileOf("garbage"), "garbage", TestContext.Current.CancellationToken);
        var fault = await Assert.ThrowsAsync<OptionsValidationException>(() => OpenAsync(("Secret", Secret), (key, value)));
        Assert.Contains(message, fault.Message, StringComparison.Ordinal);
    }

    public void Dispose() => files.Dispose();

    private static string Set(params TokenSigner[] signers) => $$"""{"keys":[{"kty":"unheard-of"},{{string.Join(',', signers.Select(one => one.Published()))}}]}""";

    private static Task<BrokerHost> OpenAsync(params (string Key, string Value)[] settings) => SourceBroker.OpenAsync("Security:Jwt", settings);

    private static Task<ReasonCode> ConnectAsync(BrokerHost broker, string token, string clientId = "") => SourceBroker.ConnectAsync(broker, "emqx", token, clientId);
}
