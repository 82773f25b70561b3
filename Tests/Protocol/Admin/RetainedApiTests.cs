using System.Text;
using System.Text.Json;
using Broker.Gateway.Mqtt.Codec.V5;
using Broker.Grains.Interfaces.Messages;
using Broker.Tests.Protocol.Harness;
using Xunit;

namespace Broker.Tests.Protocol.Admin;

/// <summary>The retained messages over the HTTP API: in pages, one, and how they are deleted.</summary>
public sealed class RetainedApiTests : IAsyncLifetime
{
    private BrokerHost broker = null!;
    private ApiClient api = null!;
    private RawClient client = null!;

    public async ValueTask InitializeAsync()
    {
        broker = await BrokerHost.StartAsync(new() { ["Retained:MaxMessages"] = "20000" });
        api = new ApiClient(broker);
        client = await RawClient.ConnectAsync(broker, "keeper");
    }

    public async ValueTask DisposeAsync()
    {
        await client.DisposeAsync();
        api.Dispose();
        await broker.DisposeAsync();
    }

    [Fact]
    public async Task MessageIsShown_AndDeleted_AndNobodyGetsThat()
    {
        await client.PublishAsync("r/ü/1", "warm", Qos.ExactlyOnce, retain: true, properties: new WireProperties().Add(PropertyId.MessageExpiryInterval, 3600u));
        await client.SubscribeAsync("r/#");
        await client.ExpectPublishAsync("r/ü/1", "warm");
        var row = Assert.Single((await api.SucceedAsync("GET", "/mqtt/retainer/messages")).EnumerateArray());
        Assert.Equal(["expires_at", "from_clientid", "payload_bytes", "qos", "topic"], row.EnumerateObject().Select(member => member.Name).Order());
        Assert.Equal(("r/ü/1", 2, "keeper", 4), (Text(row, "topic"), row.GetProperty("qos").GetInt32(), Text(row, "from_clientid"), row.GetProperty("payload_bytes").GetInt32()));
        Assert.InRange(row.GetProperty("expires_at").GetDateTimeOffset() - broker.Clock.GetUtcNow(), TimeSpan.FromMinutes(58), TimeSpan.FromMinutes(60));
        var path = $"/mqtt/retainer/message/{Uri.EscapeDataString("r/ü/1")}";
        var whole = await api.SucceedAsync("GET", path);
        Assert.Equal(("r/ü/1", "warm"), (Text(whole, "topic"), Encoding.UTF8.GetString(whole.GetProperty("payload").GetBytesFromBase64())));
        await api.SucceedAsync("DELETE", path);
        Assert.Equal(112, Code(await api.CallAsync("GET", path)));
        Assert.Equal(112, Code(await api.CallAsync("DELETE", path)));
        Assert.Equal(115, Code(await api.CallAsync("GET", "/mqtt/retainer/message/r%2F%23")));
        await client.ExpectNothingAsync();
        await using var later = await broker.StartFromCopyAsync();
        using var calls = new ApiClient(later);
        Assert.Equal(0, (await calls.SucceedAsync("GET", "/mqtt/retainer")).GetProperty("count").GetInt32());
    }

    [Fact]
    public async Task ListComesInPages_AndIsDeletedByFilterOrWhole()
    {
        const int count = 6000;
        await client.SubscribeAsync("done");
        var packets = Enumerable.Range(0, count).Select(number => WirePacket.Publish($"{(number % 3 == 0 ? "odd" : "even")}/{number % 7}/{number}", "x", retain: true)).ToArray();
        await client.SendAsync([.. packets, WirePacket.Publish("$own/1", "x", retain: true), WirePacket.Publish("done", "x")]);
        await client.ExpectPublishAsync("done", "x");
        var info = await api.SucceedAsync("GET", "/mqtt/retainer");
        Assert.Equal(("disc", count + 1, 20000), (Text(info, "storage"), info.GetProperty("count").GetInt32(), info.GetProperty("max").GetInt32()));

        var seen = await ReadAllAsync("", 1000);
        Assert.Equal((count + 1, count + 1), (seen.Count, seen.Distinct().Count()));
        Assert.Equal(count / 3, (await ReadAllAsync("&_match_topic=odd%2F%23", 700)).Count);
        Assert.Equal(["even/0/7"], await ReadAllAsync("&topic=even%2F0%2F7", 10));
        Assert.Empty(await ReadAllAsync("&topic=even%2F0%2F0", 10));
        Assert.Equal(108, Code(await api.CallAsync("GET", "/mqtt/retainer/messages?_match_topic=a%23")));
        Assert.Equal(108, Code(await api.CallAsync("GET", "/mqtt/retainer/messages?_match_topic=a&topic=a")));
        Assert.Equal(115, Code(await api.CallAsync("GET", "/mqtt/retainer/messages?topic=%2B")));
        Assert.Equal(115, Code(await api.CallAsync("DELETE", "/mqtt/retainer/messages?_match_topic=a%23")));
        // What the list knows as a filter, and what it does not, must not delete all.
        foreach (var unknown in new[] { "?topic=even%2F0%2F7", "?_like_topic=even", "?_match_topic=odd%2F%23&_limit=1" }) Assert.Equal(108, Code(await api.CallAsync("DELETE", $"/mqtt/retainer/messages{unknown}")));
        foreach (var body in new[] { """{"topic":"even/0/7"}""", """["even/0/7"]""" }) Assert.Equal(108, Code(await api.CallAsync("DELETE", "/mqtt/retainer/messages", body)));
        Assert.Equal(count + 1, (await api.SucceedAsync("GET", "/mqtt/retainer")).GetProperty("count").GetInt32());

        Assert.Equal(2, (await api.SucceedAsync("DELETE", "/mqtt/retainer/messages?_match_topic=odd%2F0%2F%2B")).GetProperty("deleted").GetInt32() / 143);
        Assert.Empty(await ReadAllAsync("&_match_topic=odd%2F0%2F%23", 100));
        var left = (await ReadAllAsync("", 10_000)).Count;
        Assert.Equal(left, (await api.SucceedAsync("DELETE", "/mqtt/retainer/messages")).GetProperty("deleted").GetInt32());
        Assert.Empty(await ReadAllAsync("", 100));
        await client.ExpectNothingAsync();
        await using var later = await broker.StartFromCopyAsync(); // what a killed process would find
        using var calls = new ApiClient(later);
        Assert.Equal(0, (await calls.SucceedAsync("GET", "/mqtt/retainer/messages")).GetArrayLength());
    }

    [Fact]
    public async Task MessageIsNotShown_WhenItHasExpired()
    {
        await client.PublishAsync("gone/1", "x", retain: true, properties: new WireProperties().Add(PropertyId.MessageExpiryInterval, 60u));
        broker.Advance(TimeSpan.FromSeconds(61));
        Assert.Equal(0, (await api.SucceedAsync("GET", "/mqtt/retainer/messages")).GetArrayLength());
        Assert.Equal(112, Code(await api.CallAsync("GET", "/mqtt/retainer/message/gone%2F1")));
    }

    private async Task<List<string>> ReadAllAsync(string filter, int limit)
    {
        var all = new List<string>();
        for (var (page, more) = (1, true); more; page++)
        {
            var answer = await api.CallAsync("GET", $"/mqtt/retainer/messages?_page={page}&_limit={limit}{filter}");
            all.AddRange(answer.GetProperty("data").EnumerateArray().Select(row => Text(row, "topic")));
            more = answer.GetProperty("meta").GetProperty("hasnext").GetBoolean();
        }

        return all;
    }

    private static string Text(JsonElement row, string member) => row.GetProperty(member).GetString()!;

    private static int Code(JsonElement answer) => answer.GetProperty("code").GetInt32();
}
