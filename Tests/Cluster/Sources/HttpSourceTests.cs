using System.Globalization;
using System.Text.Json;
using Broker.Gateway.Mqtt.Packets;
using Broker.Grains.Interfaces.Messages;
using Broker.Tests.Cluster.Harness;
using Broker.Tests.Protocol.Transport;
using Microsoft.Extensions.Options;
using Xunit;
using static Broker.Tests.Cluster.Sources.SourceBroker;

namespace Broker.Tests.Cluster.Sources;

public sealed class HttpSourceTests : SourceContract
{
    private readonly WebService server;

    /// <summary>What the service does for a path, if not what it usually does.</summary>
    private readonly Dictionary<string, Func<WebRequest, WebAnswer>> answers = [];

    public HttpSourceTests() => server = new WebService(request =>
        answers.TryGetValue(request.Target.Split('?')[0], out var own) ? own(request) : request.Target.StartsWith("/auth", StringComparison.Ordinal) ? Judge(request.Parameters) : new WebAnswer(200));

    protected override string Section => "Security:Http";

    protected override ReasonCode AnswerToStrangers => ReasonCode.BadUserNameOrPassword;

    protected override Dictionary<string, string?> Connection => new() { ["Auth:Url"] = Url("/auth"), ["Acl:Url"] = Url("/acl") };

    [Fact]
    public async Task FormIsPosted()
    {
        await using var broker = await OpenAsync(("Auth:Headers:X-Key", "secret"), ("Auth:Params", "clientid=%c, username=%u,password=%P,ip=%a,port=%p,protocol=%r,fixed=a b&c,cn=%C"));
        await using var client = await LogInAsync(broker, "c&=1", "emqx", "public");
        var request = server.Requests.Single();
        Assert.Equal(("POST", "/auth", "application/x-www-form-urlencoded", "secret"), (request.Method, request.Target, request.ContentType, request.Headers["X-Key"]));
        Assert.Equal(
            [("clientid", "c&=1"), ("username", "emqx"), ("password", "public"), ("ip", "127.0.0.1"), ("port", broker.Address.Port.ToString(CultureInfo.InvariantCulture)), ("protocol", "mqtt"), ("fixed", "a b&c"), ("cn", "")],
            request.Parameters.Select(one => (one.Key, one.Value)));
    }

    [Fact]
    public async Task QueryIsGot()
    {
        answers["/auth"] = request => Judge(request.Parameters);
        await using var broker = await OpenAsync(("Auth:Url", Url("/auth?key=1")), ("Auth:Method", "GET"));
        await using var client = await LogInAsync(broker, "c&d", "emqx", "public");
        Assert.Equal(("GET", "/auth?key=1&clientid=c%26d&username=emqx&password=public", ""), (server.Requests.Single().Method, server.Requests.Single().Target, server.Requests.Single().Body));
    }

    [Fact]
    public async Task ObjectOfTextsIsPosted()
    {
        answers["/auth"] = request => Judge(JsonSerializer.Deserialize<Dictionary<string, string>>(request.Body)!);
        await using var broker = await OpenAsync(("Auth:ContentType", "application/json"));
        await using var client = await LogInAsync(broker, "é\"", "emqx", "public");
        Assert.Equal("é\"", JsonSerializer.Deserialize<Dictionary<string, string>>(server.Requests.Single().Body)!["clientid"]);
    }

    [Theory]
    [InlineData(200, "", ReasonCode.Success)]
    [InlineData(200, "ignore", ReasonCode.NotAuthorized)]
    [InlineData(200, "ignored", ReasonCode.Success)]
    [InlineData(400, "", ReasonCode.BadUserNameOrPassword)]
    [InlineData(401, "ignore", ReasonCode.BadUserNameOrPassword)]
    [InlineData(403, "", ReasonCode.NotAuthorized)]
    [InlineData(429, "", ReasonCode.Banned)]
    [InlineData(503, "", ReasonCode.ServerUnavailable)]
    [InlineData(504, "", ReasonCode.ServerBusy)]
    [InlineData(404, "", ReasonCode.ServerUnavailable)]
    [InlineData(302, "", ReasonCode.ServerUnavailable)]
    public async Task StatusDecides(int status, string body, ReasonCode code)
    {
        answers["/auth"] = _ => new WebAnswer(status, body, Url("/elsewhere"));
        await using var broker = await OpenAsync();
        Assert.Equal(code, await ConnectAsync(broker, "emqx", "wrong"));
        Assert.Single(server.Requests);
    }

    [Theory]
    [InlineData(200, "", true, true, false)]
    [InlineData(200, "ignore", true, true, false)]
    [InlineData(403, "", false, false, false)]
    [InlineData(404, "", false, false, false)]
    [InlineData(500, "", false, false, false)]
    [InlineData(403, "", true, true, true)]
    public async Task AccessIsAsked(int status, string body, bool subscribe, bool publish, bool isSuperuser)
    {
        answers["/acl"] = _ => new WebAnswer(status, body);
        answers["/super"] = request => new WebAnswer(request.Parameters["username"] == "emqx" && isSuperuser ? 200 : 403);
        await using var broker = await OpenAsync(("Super:Url", Url("/super")));
        await using var client = await LogInAsync(broker, "id", "emqx", "public");
        Assert.Equal((subscribe, publish), await MayAsync(client, "a/b"));
        var asked = server.Requests.Where(one => one.Target == "/acl").Select(one => one.Parameters).ToArray();
        if (isSuperuser) Assert.Empty(asked);
        else Assert.Equal(["1", "2"], asked.Select(one => one["access"]).Distinct());
        Assert.All(asked, one => Assert.Equal(("emqx", "id", "127.0.0.1", "a/b", ""), (one["username"], one["clientid"], one["ipaddr"], one["topic"], one["mountpoint"])));
    }

    [Fact]
    public async Task AnswersAreRemembered_EachForItsOwnPassword()
    {
        await using var broker = await OpenAsync(("UserCacheTime", "00:01:00"));
        foreach (var (password, code) in new[] { ("public", ReasonCode.Success), ("wrong", ReasonCode.BadUserNameOrPassword), ("public", ReasonCode.Success), ("wrong", ReasonCode.BadUserNameOrPassword) })
        {
            Assert.Equal(code, await ConnectAsync(broker, "emqx", password, "id"));
        }

        Assert.Equal(2, server.Requests.Length);
        broker.Advance(TimeSpan.FromSeconds(61));
        Assert.Equal(ReasonCode.Success, await ConnectAsync(broker, "emqx", "public", "id"));
        Assert.Equal(3, server.Requests.Length);
    }

    [Fact]
    public async Task AnswerMayGiveAMountpoint()
    {
        answers["/auth"] = request => new WebAnswer(200, request.Parameters["username"] == "tenant" ? """{"mountpoint":"tenants/1/"}""" : "[1,2");
        await using var broker = await OpenAsync();
        await using var tenant = await LogInAsync(broker, "t", "tenant", "x");
        await using var other = await LogInAsync(broker, "o", "other", "x");
        await other.SubscribeAsync("tenants/#");
        await tenant.PublishAsync("a", "x");
        Assert.Equal("tenants/1/a", (await other.ExpectAsync(PacketType.Publish)).Topic);
    }

    [Fact]
    public async Task AnswerThatIsTooLongIsNone()
    {
        answers["/auth"] = _ => new WebAnswer(200, new string('x', 5000));
        await using var broker = await OpenAsync();
        Assert.Equal(ReasonCode.ServerUnavailable, await ConnectAsync(broker, "emqx", "public"));
    }

    [Fact]
    public async Task ServerMustBeTheRightOne_WhenItIsVerified()
    {
        using var certificates = new TestCertificates();
        using var strangers = new TestCertificates("Other CA");
        using var signed = certificates.Sign("server", "CN=web", "localhost");
        using var own = System.Security.Cryptography.X509Certificates.X509Certificate2.CreateFromPemFile(certificates.FileOf("server.pem"), certificates.FileOf("server.key"));
        await using var secure = new WebService(request => Judge(request.Parameters), own);
        await secure.StartAsync();
        foreach (var (tls, authority, answer) in new[]
        {
            ("verify", certificates.Authority, ReasonCode.Success), ("verify", strangers.Authority, ReasonCode.ServerUnavailable), ("verify", "", ReasonCode.ServerUnavailable), ("on", "", ReasonCode.Success),
        })
        {
            await using var broker = await OpenAsync(("Auth:Url", $"https://localhost:{secure.Port}/auth"), ("Acl:Url", ""), ("Tls", tls), ("CaFile", authority));
            Assert.Equal((tls, authority, answer), (tls, authority, await ConnectAsync(broker, "emqx", "public")));
        }
    }

    [Theory]
    [InlineData("Auth:Url", "ftp://x", ":Auth:Url = 'ftp://x' is no http or https address")]
    [InlineData("Auth:Params", "topic=%t", ":Auth:Params: '%t' is no placeholder")]
    [InlineData("Acl:Params", "password=%P", ":Acl:Params: '%P' is no placeholder")]
    [InlineData("Acl:Params", "password", ":Acl:Params: 'password' is no name=value")]
    [InlineData("Acl:Headers:Content-Type", "x", ":Acl:Headers:Content-Type is no header of a request")]
    [InlineData("Auth:Method", "put", ":Auth:Method = 'put' is neither get nor post")]
    [InlineData("Acl:ContentType", "text/xml", ":Acl:ContentType = 'text/xml' is neither application/x-www-form-urlencoded nor application/json")]
    public async Task BadRequestsStopTheStart(string key, string value, string message)
    {
        var fault = await Assert.ThrowsAsync<OptionsValidationException>(() => OpenAsync((key, value)));
        Assert.Contains(message, fault.Message, StringComparison.Ordinal);
    }

    protected override Task CreateAsync() => server.StartAsync();

    protected override Task KillAsync() => server.KillAsync();

    protected override Task StartAsync() => server.StartAsync();

    protected override void Freeze() => server.Freeze();

    protected override void Thaw() => server.Thaw();

    protected override ValueTask RemoveAsync() => server.DisposeAsync();

    private static WebAnswer Judge(IReadOnlyDictionary<string, string> parameters) => new(parameters["username"] == "emqx" && parameters["password"] == "public" ? 200 : 401);

    private string Url(string path) => string.Create(CultureInfo.InvariantCulture, $"http://127.0.0.1:{server.Port}{path}");
}
