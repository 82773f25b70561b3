using Broker.Gateway.Mqtt.Packets;
using Broker.Grains.Interfaces.Messages;
using Broker.Tests.Protocol.Harness;
using Xunit;

namespace Broker.Tests.Protocol.Admin;

/// <summary>`/subscriptions`, `/routes`, `/mqtt/subscribe` and their like: of transient and of durable sessions, with and without their clients.</summary>
public sealed class SubscriptionsApiTests(BrokerHost broker) : IClassFixture<BrokerHost>, IDisposable
{
    private readonly ApiClient api = new(broker);

    public void Dispose() => api.Dispose();

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task SubscriptionsAreListed(bool isDurable)
    {
        var id = isDurable ? "lasting" : "passing";
        await using var client = await ConnectAsync(id, isDurable);
        await client.SubscribeAsync($"{id}/a", Qos.AtLeastOnce);
        await client.SubscribeAsync("#", Qos.AtMostOnce, 0x20); // not what others have retained
        await client.SubscribeAsync($"$share/g/{id}/s", Qos.ExactlyOnce);
        await client.SubscribeAsync($"$queue/{id}/q", Qos.ExactlyOnce);
        (string, int)[] all = [("#", 0), ($"$share/$queue/{id}/q", 2), ($"$share/g/{id}/s", 2), ($"{id}/a", 1)];
        Assert.Equal(all, await ListAsync($"/subscriptions/{id}"));
        Assert.Equal(all, await ListAsync($"/nodes/broker@127.0.0.1/subscriptions/{id}"));
        Assert.Equal(all, await ListAsync($"/subscriptions?clientid={id}"));
        Assert.Equal([($"{id}/a", 1)], await ListAsync($"/subscriptions?topic={id}%2Fa"));
        Assert.Equal([($"$share/g/{id}/s", 2)], await ListAsync($"/subscriptions?share=g&clientid={id}"));
        Assert.Equal([($"$share/$queue/{id}/q", 2), ($"$share/g/{id}/s", 2), ($"{id}/a", 1)], await ListAsync($"/subscriptions?_match_topic={id}%2F%2B"));
        Assert.Equal([("#", 0)], await ListAsync($"/subscriptions?qos=0&clientid={id}"));
        var row = (await api.SucceedAsync("GET", $"/subscriptions/{id}"))[0];
        Assert.Equal(["clientid", "node", "qos", "topic"], row.EnumerateObject().Select(member => member.Name).Order());
        Assert.Equal("broker@127.0.0.1", row.GetProperty("node").GetString());
        Assert.Contains(($"{id}/a", "broker@127.0.0.1"), await RoutesAsync("/routes"));
        Assert.Equal([($"{id}/s", "broker@127.0.0.1")], await RoutesAsync($"/routes/{id}%2Fs"));
    }

    [Fact]
    public async Task RouteIsOneRow_WhenItLeadsToTransientAndDurableSessions()
    {
        await using var passing = await ConnectAsync("route-passing", isDurable: false);
        await using var lasting = await ConnectAsync("route-lasting", isDurable: true);
        await passing.SubscribeAsync("route/+");
        await lasting.SubscribeAsync("route/+");
        Assert.Equal([("route/+", "broker@127.0.0.1")], await RoutesAsync("/routes/route%2F%2B"));
        Assert.Equal([("route/+", "broker@127.0.0.1")], (await RoutesAsync("/routes")).Where(row => row.Item1 == "route/+"));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    [InlineData(6)]
    [InlineData(20)]
    public async Task PagesHoldEverySubscriptionOnce(int limit)
    {
        await using var own = await BrokerHost.StartAsync([]);
        using var its = new ApiClient(own);
        List<RawClient> clients = [];
        for (var i = 0; i < 5; i++)
        {
            var client = await RawClient.OpenAsync(own);
            clients.Add(client);
            await ConnectAsync(client, $"c{i}", isDurable: i % 2 == 0);
            for (var t = 0; t < 4; t++) await client.SubscribeAsync($"{t}/{i}");
        }

        var seen = new List<string>();
        for (var (page, more) = (1, true); more; page++)
        {
            var answer = await its.CallAsync("GET", $"/subscriptions?_page={page}&_limit={limit}");
            Assert.Equal(20, answer.GetProperty("meta").GetProperty("count").GetInt32());
            seen.AddRange(answer.GetProperty("data").EnumerateArray().Select(row => row.GetProperty("topic").GetString()!));
            more = answer.GetProperty("meta").GetProperty("hasnext").GetBoolean();
        }

        Assert.Equal(from i in Enumerable.Range(0, 5) from t in Enumerable.Range(0, 4) orderby t, i select $"{t}/{i}", seen.Order());
        var routes = new List<string>();
        for (var page = 1; page <= 7; page++) routes.AddRange((await its.SucceedAsync("GET", $"/routes?_page={page}&_limit=3")).EnumerateArray().Select(row => row.GetProperty("topic").GetString()!));
        Assert.Equal(seen.Order(), routes.Order());
        foreach (var client in clients) await client.DisposeAsync();
    }

    [Theory]
    [InlineData("/subscriptions?qos=much")]
    [InlineData("/subscriptions?_match_topic=a%23")]
    public async Task FilterIsRefused_WhenItIsNotOfItsType(string path) => Assert.Equal(108, (await api.CallAsync("GET", path)).GetProperty("code").GetInt32());

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task ClientIsSubscribed_AndUnsubscribed(bool isDurable)
    {
        var id = $"told-{isDurable}";
        await using var client = await ConnectAsync(id, isDurable);
        await using var publisher = await RawClient.ConnectAsync(broker, $"{id}-publisher");
        await publisher.PublishAsync($"{id}/kept", "before", retain: true);
        await api.SucceedAsync("POST", "/mqtt/subscribe", $$"""{"clientid":"{{id}}","topics":"{{id}}/+,{{id}}/x/#","qos":1}""");
        await client.ExpectPublishAsync($"{id}/kept", "before", Qos.AtLeastOnce);
        await publisher.PublishAsync($"{id}/x/y", "hi");
        await client.ExpectPublishAsync($"{id}/x/y", "hi", Qos.AtLeastOnce);
        await api.SucceedAsync("POST", "/mqtt/unsubscribe", $$"""{"clientid":"{{id}}","topic":"{{id}}/x/#"}""");
        Assert.Equal([($"{id}/+", 1)], await ListAsync($"/subscriptions/{id}"));
    }

    [Fact]
    public async Task SessionIsSubscribed_WhenItsClientIsAway()
    {
        await using (await ConnectAsync("away", isDurable: true))
        {
        }

        await AbsentAsync("away");
        await api.SucceedAsync("POST", "/mqtt/subscribe", """{"clientid":"away","topic":"away/1","qos":1}""");
        Assert.Equal([("away/1", 1)], await ListAsync("/subscriptions/away"));
        await using var publisher = await RawClient.ConnectAsync(broker, "to-away");
        await publisher.PublishAsync("away/1", "kept");
        await using var back = await RawClient.OpenAsync(broker);
        await back.SendAsync(WirePacket.Connect("away", cleanStart: false, properties: ClientsApiTests.Lasting));
        await back.ExpectAsync(PacketType.Connack);
        await back.ExpectPublishAsync("away/1", "kept", Qos.AtLeastOnce);
    }

    [Theory]
    [InlineData("/mqtt/subscribe", """{"clientid":"nobody","topic":"a"}""", 112)]
    [InlineData("/mqtt/subscribe", """{"clientid":1,"topic":"a"}""", 108)]
    [InlineData("/mqtt/subscribe", """{"clientid":"nobody","topic":"a/#/b"}""", 115)]
    [InlineData("/mqtt/subscribe", """{"clientid":"nobody","topic":"a","qos":3}""", 116)]
    [InlineData("/mqtt/unsubscribe", """{"clientid":"nobody","topic":"a"}""", 112)]
    [InlineData("/mqtt/unsubscribe", """{"clientid":"nobody"}""", 115)]
    public async Task SubscriptionIsRefused_WhenItIsNone(string path, string body, int code) => Assert.Equal(code, (await api.CallAsync("POST", path, body)).GetProperty("code").GetInt32());

    [Fact]
    public async Task EachOfABatchIsAnswered()
    {
        await using var client = await ConnectAsync("batched", isDurable: false);
        var data = await api.SucceedAsync("POST", "/mqtt/subscribe_batch", """[{"clientid":"batched","topic":"b/1"},{"clientid":"nobody","topic":"b/2"},{"clientid":"batched","topics":"b/3,b/4"}]""");
        Assert.Equal(
            [("batched", "b/1", 0), ("nobody", "b/2", 112), ("batched", "b/3,b/4", 0)],
            data.EnumerateArray().Select(one => (one.GetProperty("clientid").GetString(), one.GetProperty("topic").GetString(), one.GetProperty("code").GetInt32())));
        await api.SucceedAsync("POST", "/mqtt/unsubscribe_batch", """[{"clientid":"batched","topic":"b/1"},{"clientid":"batched","topic":"b/3"}]""");
        Assert.Equal([("b/4", 0)], await ListAsync("/subscriptions/batched"));
    }

    [Fact]
    public async Task AbsentClientIsListed_UntilItIsCleanedOrBack()
    {
        await using (await ConnectAsync("gone", isDurable: true))
        {
        }

        await AbsentAsync("gone");
        var row = Assert.Single((await api.SucceedAsync("GET", "/clients/gone")).EnumerateArray());
        Assert.Equal((false, 600), (row.GetProperty("connected").GetBoolean(), row.GetProperty("expiry_interval").GetInt32()));
        Assert.Matches(@"^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d$", row.GetProperty("disconnected_at").GetString());
        Assert.Contains("gone", await IdsAsync("/clients?conn_state=disconnected"));
        Assert.Contains("gone", await IdsAsync("/clients"));
        Assert.DoesNotContain("gone", await IdsAsync("/clients?conn_state=connected"));
        await api.SucceedAsync("DELETE", "/clients/gone");
        Assert.Empty((await api.SucceedAsync("GET", "/clients/gone")).EnumerateArray());
        Assert.Equal(112, (await api.CallAsync("DELETE", "/clients/gone")).GetProperty("code").GetInt32());
    }

    [Fact]
    public async Task AbsentClientShowsWhatItsSessionHolds_WhenItIsAskedFor()
    {
        await using (var client = await ConnectAsync("holding", isDurable: true))
        {
            await client.SubscribeAsync("holding/a", Qos.AtLeastOnce);
            await client.SubscribeAsync("holding/b", Qos.AtLeastOnce);
        }

        await AbsentAsync("holding");
        await using var publisher = await ConnectAsync("to-holding", isDurable: false);
        for (var i = 0; i < 3; i++) await publisher.PublishAsync("holding/a", "x");
        var row = Assert.Single((await api.SucceedAsync("GET", "/clients/holding")).EnumerateArray());
        Assert.Equal((2, 3, 1000), (row.GetProperty("subscriptions_cnt").GetInt32(), row.GetProperty("mqueue_len").GetInt32(), row.GetProperty("max_mqueue").GetInt32()));
        Assert.Equal("holding", Assert.Single(await IdsAsync("/clients?clientid=holding&_gte_mqueue_len=3")));
        Assert.Empty(await IdsAsync("/clients?clientid=holding&_gte_mqueue_len=4"));
    }

    private async Task<RawClient> ConnectAsync(string id, bool isDurable)
    {
        var client = await RawClient.OpenAsync(broker);
        await ConnectAsync(client, id, isDurable);
        return client;
    }

    private static async Task ConnectAsync(RawClient client, string id, bool isDurable)
    {
        await client.SendAsync(isDurable ? WirePacket.Connect(id, properties: ClientsApiTests.Lasting) : WirePacket.Connect(id));
        await client.ExpectAsync(PacketType.Connack);
    }

    private Task AbsentAsync(string id) =>
        Wait.UntilAsync(async () => (await api.SucceedAsync("GET", $"/clients/{id}")).EnumerateArray().Any(row => !row.GetProperty("connected").GetBoolean()), $"{id} is absent");

    private async Task<(string Topic, int Qos)[]> ListAsync(string path) =>
        [.. (await api.SucceedAsync("GET", path)).EnumerateArray().Select(row => (row.GetProperty("topic").GetString()!, row.GetProperty("qos").GetInt32())).OrderBy(row => row.Item1, StringComparer.Ordinal)];

    private async Task<(string?, string?)[]> RoutesAsync(string path) =>
        [.. (await api.SucceedAsync("GET", path)).EnumerateArray().Select(row => (row.GetProperty("topic").GetString(), row.GetProperty("node").GetString()))];

    private async Task<string?[]> IdsAsync(string path) => [.. (await api.SucceedAsync("GET", path)).EnumerateArray().Select(row => row.GetProperty("clientid").GetString())];
}
