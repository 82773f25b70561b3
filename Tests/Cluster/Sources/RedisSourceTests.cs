using System.Globalization;
using Broker.Grains.Interfaces.Messages;
using Broker.Tests.Cluster.Harness;
using Broker.Tests.Protocol.Transport;
using Microsoft.Extensions.Options;
using Xunit;
using static Broker.Tests.Cluster.Sources.SourceBroker;

namespace Broker.Tests.Cluster.Sources;

public sealed class RedisSourceTests : SourceContract
{
    private RedisServer server = null!;

    protected override string Section => "Security:Redis";

    protected override Dictionary<string, string?> Connection => new() { ["Server"] = Address(server), ["Password"] = RedisServer.Password };

    [Fact]
    public async Task SaltAndSuperuserAreRead()
    {
        await server.ExecuteAsync("HSET", "mqtt_user:root", "password", "efa1f375d76194fa51a3556a97e641e61685f914d446979da50a551a4333ffd7", "salt", "pub", "is_superuser", "1");
        await server.ExecuteAsync("HSET", "mqtt_acl:root", "nothing", "1");
        await using var broker = await OpenAsync(("PasswordHash", "salt,sha256"), ("AuthCommand", "HMGET mqtt_user:%u password salt"));
        await using var root = await LogInAsync(broker, "id", "root", "lic");
        await root.SubscribeAsync("$SYS/#");
        Assert.Equal(ReasonCode.BadUserNameOrPassword, await ConnectAsync(broker, "emqx", "public")); // it has no salt
    }

    [Theory]
    [InlineData("id", "own/id/a/b", true, true)]
    [InlineData("id", "own/other/a", false, false)]
    [InlineData("id", "read/x", true, false)]
    [InlineData("id", "write", false, true)]
    [InlineData("7", "device-7/emqx", true, true)]
    [InlineData("8", "device-7/emqx", false, false)]
    [InlineData("$SYS", "$SYS/x", false, false)]
    [InlineData("id", "odd", false, false)]
    [InlineData("id", "elsewhere", false, false)]
    public async Task ListAllowsAndDeniesTheRest_WhenThereIsOne(string clientId, string topic, bool subscribe, bool publish)
    {
        await server.ExecuteAsync("HSET", "mqtt_acl:emqx", "own/%c/#", "3", "read/+", "1", "write", "2", "device-%c/%u", "3", "%c/x", "3", "odd", "9");
        await using var broker = await OpenAsync();
        await using var client = await LogInAsync(broker, clientId, "emqx", "public");
        Assert.Equal((subscribe, publish), await MayAsync(client, topic));
    }

    [Fact]
    public async Task OneCommandMayHaveItAll()
    {
        await server.ExecuteAsync("SET", "pass:emqx:id", "secret");
        await using var broker = await OpenAsync(("AuthCommand", "GET pass:%u:%c"), ("SuperCommand", ""), ("AclCommand", ""));
        Assert.Equal(ReasonCode.Success, await ConnectAsync(broker, "emqx", "secret", "id"));
        Assert.Equal(ReasonCode.NotAuthorized, await ConnectAsync(broker, "emqx", "secret", "other"));
    }

    [Fact]
    public async Task ClusterIsAsked()
    {
        await using var cluster = await RedisServer.StartNewAsync("--cluster-enabled", "yes");
        await cluster.ExecuteAsync("CLUSTER", "ADDSLOTSRANGE", 0, 16383);
        while (!((string?)await cluster.ExecuteAsync("CLUSTER", "INFO"))!.Contains("cluster_state:ok", StringComparison.Ordinal)) await Task.Delay(20, TestContext.Current.CancellationToken);
        await cluster.ExecuteAsync("HSET", "mqtt_user:emqx", "password", "public");
        await using var broker = await OpenAsync(("Type", "cluster"), ("Server", Address(cluster)));
        await using var client = await LogInAsync(broker, "id", "emqx", "public");
    }

    [Fact]
    public async Task SentinelsSayWhoTheMasterIs()
    {
        await using var sentinel = await RedisServer.StartNewAsync("--sentinel");
        await sentinel.ExecuteAsync("SENTINEL", "MONITOR", "users", "127.0.0.1", server.Port, 1);
        await sentinel.ExecuteAsync("SENTINEL", "SET", "users", "auth-pass", RedisServer.Password);
        await using var broker = await OpenAsync(("Type", "sentinel"), ("Sentinel", "users"), ("Server", Address(sentinel)));
        await using var client = await LogInAsync(broker, "id", "emqx", "public");
    }

    [Fact]
    public async Task ServerMustBeTheRightOne_WhenItIsVerified()
    {
        using var certificates = new TestCertificates();
        using var strangers = new TestCertificates("Other CA");
        using var signed = certificates.Sign("server", "CN=redis", "localhost");
        var port = FreePorts.Find();
        await using var secure = await RedisServer.StartNewAsync(
            "--tls-port", port.ToString(CultureInfo.InvariantCulture), "--tls-cert-file", certificates.FileOf("server.pem"), "--tls-key-file", certificates.FileOf("server.key"),
            "--tls-ca-cert-file", certificates.Authority, "--tls-auth-clients", "no");
        await secure.ExecuteAsync("HSET", "mqtt_user:emqx", "password", "public");
        var address = string.Create(CultureInfo.InvariantCulture, $"localhost:{port}");
        foreach (var (tls, authority, answer) in new[]
        {
            ("verify", certificates.Authority, ReasonCode.Success), ("verify", strangers.Authority, ReasonCode.ServerUnavailable), ("verify", "", ReasonCode.ServerUnavailable), ("on", "", ReasonCode.Success),
        })
        {
            await using var broker = await OpenAsync(("Server", address), ("Tls", tls), ("CaFile", authority), ("QueryTimeout", "00:00:02"));
            Assert.Equal((tls, authority, answer), (tls, authority, await ConnectAsync(broker, "emqx", "public")));
        }
    }

    [Theory]
    [InlineData("AuthCommand", "HMGET", ":AuthCommand = 'HMGET': it is a command, a key")]
    [InlineData("AclCommand", "HGETALL mqtt_acl:%z", "'%z' in 'mqtt_acl:%z' is no placeholder")]
    [InlineData("Type", "sentinel", ":Sentinel is empty")]
    [InlineData("PasswordHash", "rot13", ":PasswordHash = 'rot13'")]
    [InlineData("Server", "host:port", ":Server: 'host:port'")]
    public async Task BadCommandsStopTheStart(string key, string value, string message)
    {
        var fault = await Assert.ThrowsAsync<OptionsValidationException>(() => OpenAsync((key, value)));
        Assert.Contains(message, fault.Message, StringComparison.Ordinal);
    }

    protected override async Task CreateAsync()
    {
        server = await RedisServer.StartNewAsync();
        await server.ExecuteAsync("HSET", "mqtt_user:emqx", "password", "public");
    }

    protected override Task KillAsync() => server.KillAsync();

    protected override Task StartAsync() => server.StartAsync();

    protected override void Freeze() => server.Freeze();

    protected override void Thaw() => server.Thaw();

    protected override ValueTask RemoveAsync() => server?.DisposeAsync() ?? default;

    private static string Address(RedisServer server) => string.Create(CultureInfo.InvariantCulture, $"127.0.0.1:{server.Port}");
}
