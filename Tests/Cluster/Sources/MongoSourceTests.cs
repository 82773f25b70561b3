using System.Globalization;
using Broker.Grains.Interfaces.Messages;
using Broker.Tests.Cluster.Harness;
using Broker.Tests.Protocol.Transport;
using Microsoft.Extensions.Options;
using Xunit;
using static Broker.Tests.Cluster.Sources.SourceBroker;

namespace Broker.Tests.Cluster.Sources;

public sealed class MongoSourceTests : SourceContract
{
    private MongoServer server = null!;

    protected override string Section => "Security:MongoDb";

    protected override Dictionary<string, string?> Connection => new() { ["Server"] = Address(server), ["PasswordHash"] = "plain" };

    [Fact]
    public async Task SaltAndSuperuserAreRead()
    {
        await server.InsertAsync("mqtt_user", """{"username":"root","password":"efa1f375d76194fa51a3556a97e641e61685f914d446979da50a551a4333ffd7","salt":"pub","is_superuser":true}""");
        await server.InsertAsync("mqtt_acl", """{"username":"root","publish":["nothing"]}""");
        await using var broker = await OpenAsync(("PasswordHash", "salt,sha256"), ("PasswordField", "password, salt"));
        await using var root = await LogInAsync(broker, "id", "root", "lic");
        await root.SubscribeAsync("$SYS/#");
        Assert.Equal(ReasonCode.BadUserNameOrPassword, await ConnectAsync(broker, "emqx", "public")); // it has no salt
    }

    [Theory]
    [InlineData("id", "own/id/a/b", true, true)]
    [InlineData("id", "own/other/a", false, false)]
    [InlineData("id", "read/x", true, false)]
    [InlineData("id", "write", false, true)]
    [InlineData("id", "odd", false, false)]
    [InlineData("id", "elsewhere", false, false)]
    public async Task ListsAllowAndDenyTheRest_WhenThereAreSome(string clientId, string topic, bool subscribe, bool publish)
    {
        await server.InsertAsync("mqtt_acl", """{"username":"emqx","publish":["write"],"subscribe":["read/+",7],"pubsub":"odd"}""", """{"username":"emqx","pubsub":["own/%c/#"]}""");
        await using var broker = await OpenAsync();
        await using var client = await LogInAsync(broker, clientId, "emqx", "public");
        Assert.Equal((subscribe, publish), await MayAsync(client, topic));
    }

    [Fact]
    public async Task OneOfTheSelectorsMustFit()
    {
        await server.InsertAsync("mqtt_acl", """{"clientid":"id","username":"emqx","publish":["both"]}""", """{"username":"$all","publish":["all"]}""", """{"clientid":"other","username":"emqx","publish":["other"]}""");
        await using var broker = await OpenAsync(("AclSelectors:0", "clientid=%c, username=%u"), ("AclSelectors:1", "username=$all"));
        await using var client = await LogInAsync(broker, "id", "emqx", "public");
        Assert.Equal((false, true), await MayAsync(client, "both"));
        Assert.Equal((false, true), await MayAsync(client, "all"));
        Assert.Equal((false, false), await MayAsync(client, "other"));
    }

    [Fact]
    public async Task UsersMayBeKeptByClientIdentifier()
    {
        await server.InsertAsync("devices", """{"id":"d1","key":"secret","root":1}""", """{"id":"d2","key":7}""");
        await using var broker = await OpenAsync(
            ("AuthCollection", "devices"), ("AuthSelector", "id=%c"), ("PasswordField", "key"), ("SuperCollection", "devices"), ("SuperSelector", "id=%c"), ("SuperField", "root"));
        Assert.Equal(ReasonCode.Success, await ConnectAsync(broker, null, "secret", "d1"));
        Assert.Equal(ReasonCode.BadUserNameOrPassword, await ConnectAsync(broker, null, "7", "d2"));
        Assert.Equal(ReasonCode.NotAuthorized, await ConnectAsync(broker, null, "secret", "d3"));
    }

    [Fact]
    public async Task ServerMustBeTheRightOne_WhenItIsVerified()
    {
        using var certificates = new TestCertificates();
        using var strangers = new TestCertificates("Other CA");
        using var signed = certificates.Sign("server", "CN=mongo", "localhost");
        var pem = await File.ReadAllTextAsync(certificates.FileOf("server.pem")) + "\n" + await File.ReadAllTextAsync(certificates.FileOf("server.key"));
        await File.WriteAllTextAsync(certificates.FileOf("server.pem"), pem);
        await using var secure = new MongoServer(certificates.FileOf("server.pem"));
        await secure.StartAsync();
        await secure.InsertAsync("mqtt_user", """{"username":"emqx","password":"public"}""");
        foreach (var (tls, authority, answer) in new[]
        {
            ("verify", certificates.Authority, ReasonCode.Success), ("verify", strangers.Authority, ReasonCode.ServerUnavailable), ("verify", "", ReasonCode.ServerUnavailable), ("on", "", ReasonCode.Success),
        })
        {
            await using var broker = await OpenAsync(("Server", string.Create(CultureInfo.InvariantCulture, $"localhost:{secure.Port}")), ("Tls", tls), ("CaFile", authority), ("QueryTimeout", "00:00:02"));
            Assert.Equal((tls, authority, answer), (tls, authority, await ConnectAsync(broker, "emqx", "public")));
        }
    }

    [Theory]
    [InlineData("AuthSelector", "username", ":AuthSelector = 'username': 'username' is no name=value")]
    [InlineData("SuperSelector", "username=%z", ":SuperSelector = 'username=%z'")]
    [InlineData("AclSelectors:0", "$where=1", ":AclSelectors:0 = '$where=1': no field begins with '$'")]
    [InlineData("Type", "rs", ":ReplicaSet is empty")]
    [InlineData("Type", "none", "Type")]
    [InlineData("PasswordHash", "rot13", ":PasswordHash = 'rot13'")]
    [InlineData("Server", "host:port", ":Server: 'host:port'")]
    public async Task BadSelectorsStopTheStart(string key, string value, string message)
    {
        var fault = await Assert.ThrowsAsync<OptionsValidationException>(() => OpenAsync((key, value)));
        Assert.Contains(message, fault.Message, StringComparison.Ordinal);
    }

    protected override async Task CreateAsync()
    {
        server = new MongoServer();
        await server.StartAsync();
        await server.InsertAsync("mqtt_user", """{"username":"emqx","password":"public"}""");
    }

    protected override Task KillAsync() => server.KillAsync();

    protected override Task StartAsync() => server.StartAsync();

    protected override void Freeze() => server.Freeze();

    protected override void Thaw() => server.Thaw();

    protected override ValueTask RemoveAsync() => server?.DisposeAsync() ?? default;

    private static string Address(MongoServer server) => string.Create(CultureInfo.InvariantCulture, $"127.0.0.1:{server.Port}");
}
