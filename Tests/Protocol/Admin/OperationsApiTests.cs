using System.Net;
using System.Text.Json;
using Broker.Gateway.Mqtt.Packets;
using Broker.Grains.Interfaces.Messages;
using Broker.Grains.Interfaces.Metrics;
using Broker.Tests.Protocol.Harness;
using Xunit;

namespace Broker.Tests.Protocol.Admin;

/// <summary>What operators do with one client's limits and remembered rules, and with listeners.</summary>
public sealed class OperationsApiTests(OperationsApiTests.Fixture fixture) : IClassFixture<OperationsApiTests.Fixture>, IDisposable
{
    private readonly BrokerHost broker = fixture.Host;
    private readonly ApiClient api = new(fixture.Host);

    public void Dispose() => api.Dispose();

    /// <summary>A broker with an access rule, so that there is something to remember.</summary>
    public sealed class Fixture : IAsyncLifetime
    {
        internal BrokerHost Host { get; private set; } = null!;

        public async ValueTask InitializeAsync()
        {
            Host = await BrokerHost.StartAsync([]);
            using var api = new ApiClient(Host);
            await api.SucceedAsync("POST", "/acl", """{"clientid":"other","topic":"x","action":"pub","access":"deny"}""");
        }

        public ValueTask DisposeAsync() => Host.DisposeAsync();
    }

    [Fact]
    public async Task RememberedRulesAreShown_AndForgotten()
    {
        await using var client = await RawClient.ConnectAsync(broker, "rules");
        await client.PublishAsync("rules/1", "x");
        await client.SubscribeAsync("rules/#");
        var rows = (await api.SucceedAsync("GET", "/clients/rules/acl_cache")).EnumerateArray().ToArray();
        Assert.Equal([("publish", "rules/1", "allow"), ("subscribe", "rules/#", "allow")], rows.Select(row => (Text(row, "access"), Text(row, "topic"), Text(row, "result"))).Order());
        Assert.InRange(rows[0].GetProperty("updated_time").GetInt64(), DateTimeOffset.UtcNow.AddMinutes(-1).ToUnixTimeMilliseconds(), DateTimeOffset.UtcNow.AddMinutes(1).ToUnixTimeMilliseconds());
        foreach (var path in new[] { "/clients/rules/acl_cache", "/acl-cache", "/nodes/broker@127.0.0.1/acl-cache" })
        {
            await client.PublishAsync("rules/1", "x", Qos.AtMostOnce);
            await client.ExpectPublishAsync("rules/1", "x");
            Assert.NotEmpty((await api.SucceedAsync("GET", "/clients/rules/acl_cache")).EnumerateArray());
            await api.SucceedAsync("DELETE", path);
            Assert.Empty((await api.SucceedAsync("GET", "/clients/rules/acl_cache")).EnumerateArray());
        }

        Assert.Equal(112, Code(await api.CallAsync("GET", "/clients/nobody/acl_cache")));
        Assert.Equal(112, Code(await api.CallAsync("DELETE", "/clients/nobody/acl_cache")));
    }

    [Fact]
    public async Task ClientIsSlowed_UntilItsRateIsTakenBack()
    {
        await using var client = await RawClient.ConnectAsync(broker, "slowed");
        await api.SucceedAsync("POST", "/clients/slowed/ratelimit", """{"conn_messages_in":"2,1h"}""");
        var limited = BrokerCounters.Read(Metric.ClientRateLimited);
        for (ushort id = 1; id <= 4; id++) await client.SendAsync(WirePacket.Publish("slowed", "x", Qos.AtLeastOnce, id));
        await Wait.UntilAsync(() => BrokerCounters.Read(Metric.ClientRateLimited) > limited, "the client is not read");
        await api.SucceedAsync("DELETE", "/clients/slowed/ratelimit");
        Assert.Equal(112, Code(await api.CallAsync("DELETE", "/clients/nobody/ratelimit")));
    }

    [Fact]
    public async Task ClientIsRefused_WhenItsQuotaIsUsedUp()
    {
        await using var client = await RawClient.ConnectAsync(broker, "quota");
        await api.SucceedAsync("POST", "/clients/quota/quota", """{"conn_messages_routing":"2,1h"}""");
        Assert.Equal([ReasonCode.NoMatchingSubscribers, ReasonCode.NoMatchingSubscribers, ReasonCode.QuotaExceeded], [await PublishAsync(1), await PublishAsync(2), await PublishAsync(3)]);
        await api.SucceedAsync("DELETE", "/clients/quota/quota");
        Assert.Equal(ReasonCode.NoMatchingSubscribers, await PublishAsync(4));

        async Task<ReasonCode> PublishAsync(ushort id)
        {
            await client.SendAsync(WirePacket.Publish("quota", "x", Qos.AtLeastOnce, id));
            return (await client.ExpectAsync(PacketType.Puback)).Code;
        }
    }

    [Theory]
    [InlineData("/clients/x/ratelimit", """{"conn_bytes_in":"much"}""", 108)]
    [InlineData("/clients/x/quota", """{"conn_messages_routing":"1,2,3"}""", 108)]
    [InlineData("/clients/x/ratelimit", """{"conn_bytes_in":"1KB,1s"}""", 112)]
    [InlineData("/clients/x/ratelimit", "{}", 0)]
    public async Task LimitIsRefused_WhenItIsNone(string path, string body, int code) => Assert.Equal(code, Code(await api.CallAsync("POST", path, body)));

    [Fact]
    public async Task ListenersAreShown_AndOpenedAnew()
    {
        await using var client = await RawClient.ConnectAsync(broker, "stays");
        await using (await RawClient.ConnectAsync(broker, "goes"))
        {
        }

        await Wait.UntilAsync(async () => Listener(await ListAsync()).GetProperty("shutdown_count").TryGetProperty("tcp_closed", out _), "a connection has ended");
        var listener = Listener(await ListAsync());
        Assert.Equal(["acceptors", "current_conns", "identifier", "listen_on", "max_conns", "protocol", "shutdown_count"], listener.EnumerateObject().Select(member => member.Name).Order());
        Assert.Equal(("mqtt:tcp", $"127.0.0.1:{broker.PortOf("default")}", "mqtt:tcp:default"), (Text(listener, "protocol"), Text(listener, "listen_on"), Text(listener, "identifier")));
        Assert.True(listener.GetProperty("current_conns").GetInt32() >= 1);
        await api.SucceedAsync("PUT", "/listeners/mqtt:tcp:default/restart");
        await api.SucceedAsync("PUT", "/nodes/broker@127.0.0.1/listeners/mqtt%3Atcp%3Adefault/restart");
        await client.PublishAsync("stays", "x");
        await using var newcomer = await RawClient.ConnectAsync(broker, "newcomer");
        Assert.Contains("no_such_listener", Text(await api.CallAsync("PUT", "/listeners/mqtt:tcp:none/restart"), "message"), StringComparison.Ordinal);
        Assert.Equal(HttpStatusCode.Forbidden, (await api.SendAsync("PUT", "/listeners/http:management/restart")).Status);

        async Task<JsonElement> ListAsync() => Assert.Single((await api.SucceedAsync("GET", "/listeners")).EnumerateArray()).GetProperty("listeners");
    }

    [Fact]
    public async Task PluginsAreNone_WhenThereIsNoFolder()
    {
        var node = Assert.Single((await api.SucceedAsync("GET", "/plugins")).EnumerateArray());
        Assert.Equal(("broker@127.0.0.1", 0), (Text(node, "node"), node.GetProperty("plugins").GetArrayLength()));
        Assert.Equal("not_found", Text(await api.CallAsync("PUT", "/nodes/broker@127.0.0.1/plugins/none/load"), "message"));
    }

    private static JsonElement Listener(JsonElement list) => Assert.Single(list.EnumerateArray(), row => Text(row, "protocol")!.StartsWith("mqtt", StringComparison.Ordinal));

    private static string? Text(JsonElement row, string member) => row.GetProperty(member).GetString();

    private static int Code(JsonElement answer) => answer.GetProperty("code").GetInt32();
}
