using System.Text.Json;
using Broker.Gateway.Mqtt.Codec.V5;
using Broker.Gateway.Mqtt.Packets;
using Broker.Grains.Interfaces.Messages;
using Broker.Tests.Protocol.Harness;
using Xunit;

namespace Broker.Tests.Protocol.Admin;

/// <summary>`/explain/publish`: what it says is what happens.</summary>
public sealed class ExplainApiTests
{
    [Fact]
    public async Task EveryReceiverIsExplained()
    {
        await using var broker = await BrokerHost.StartAsync(new() { ["Mqtt:MaxQueueLength"] = "1", ["Rewrite:Publish:0"] = "old/# ^old/(.+)$ room/$1" });
        using var api = new ApiClient(broker);
        await api.SucceedAsync("POST", "/acl", """{"clientid":"publisher","topic":"secret","action":"pub","access":"deny"}""");
        await using var publisher = await RawClient.ConnectAsync(broker, "publisher");
        await publisher.SubscribeAsync("room/1", Qos.AtMostOnce, options: 4); // no local
        await using var plain = await RawClient.ConnectAsync(broker, "plain");
        await plain.SubscribeAsync("room/+", Qos.AtMostOnce);
        await plain.SubscribeAsync("room/#", Qos.AtLeastOnce);
        await using var full = await RawClient.OpenAsync(broker);
        await full.SendAsync(WirePacket.Connect("full", properties: new WireProperties().Add(PropertyId.ReceiveMaximum, (ushort)1)));
        await full.ExpectAsync(PacketType.Connack);
        await full.SubscribeAsync("full", Qos.AtLeastOnce);
        await full.SubscribeAsync("room/1", Qos.AtLeastOnce);
        for (var i = 0; i < 2; i++) await publisher.PublishAsync("full", "x"); // one in flight, one waits
        await using var first = await RawClient.ConnectAsync(broker, "first");
        await first.SubscribeAsync("$share/g/room/1", Qos.AtLeastOnce);
        await using var second = await RawClient.ConnectAsync(broker, "second");
        await second.SubscribeAsync("$share/g/room/1", Qos.AtLeastOnce);
        await using (var away = await RawClient.OpenAsync(broker))
        {
            await away.SendAsync(WirePacket.Connect("away", properties: ClientsApiTests.Lasting));
            await away.ExpectAsync(PacketType.Connack);
            await away.SubscribeAsync("room/1", Qos.ExactlyOnce);
        }

        await Wait.UntilAsync(async () => (await api.SucceedAsync("GET", "/clients?conn_state=disconnected")).GetArrayLength() == 1, "a client is away");
        var answer = await api.SucceedAsync("GET", "/v5/explain/publish?topic=old%2F1&client=publisher&qos=1");
        Assert.Equal("room/1", Text(answer, "topic"));
        var from = answer.GetProperty("publisher");
        Assert.Equal(("publisher", true, "no rule matches"), (Text(from, "clientid"), from.GetProperty("allowed").GetBoolean(), Text(from, "rule")));
        Assert.Equal(
            [("away", 1, "queued"), ("first", 1, "perhaps"), ("full", 1, "loses"), ("plain", 1, "gets"), ("publisher", 0, "not"), ("second", 1, "perhaps")],
            answer.GetProperty("receivers").EnumerateArray().Select(one => (Text(one, "clientid"), one.GetProperty("qos").GetInt32(), Text(one, "verdict"))).Order());
        Assert.Equal(["room/#", "room/+"], Of(answer, "plain").GetProperty("filters").EnumerateArray().Select(one => one.GetString()).Order(StringComparer.Ordinal));
        Assert.StartsWith("no_local", Text(Of(answer, "publisher"), "reason"), StringComparison.Ordinal);
        Assert.StartsWith("queue_full: 1 of 1", Text(Of(answer, "full"), "reason"), StringComparison.Ordinal);
        Assert.Contains("$share/g/room/1", Text(Of(answer, "first"), "reason"), StringComparison.Ordinal);

        // And so it is: who gets it, gets it once.
        await publisher.SendAsync(WirePacket.Publish("old/1", "x", Qos.AtLeastOnce, 9));
        Assert.Equal(ReasonCode.Success, (await publisher.ExpectAsync(PacketType.Puback)).Code);
        await plain.ExpectPublishAsync("room/1", "x", Qos.AtLeastOnce);
        await plain.ExpectNothingAsync();
        await publisher.ExpectNothingAsync();

        var denied = (await api.SucceedAsync("GET", "/v5/explain/publish?topic=secret&client=publisher")).GetProperty("publisher");
        Assert.Equal((false, "built-in"), (denied.GetProperty("allowed").GetBoolean(), Text(denied, "source")));
        Assert.Contains("secret", Text(denied, "rule"), StringComparison.Ordinal);
        Assert.DoesNotContain((await api.SucceedAsync("GET", "/v5/clients/publisher/history")).EnumerateArray(), one => Text(one, "event") == "publish_denied"); // nobody was refused anything
        Assert.Contains("not connected", Text((await api.SucceedAsync("GET", "/v5/explain/publish?topic=x&client=nobody")).GetProperty("publisher"), "fault"), StringComparison.Ordinal);
        Assert.Empty((await api.SucceedAsync("GET", "/v5/explain/publish?topic=nobody%2Fhere")).GetProperty("receivers").EnumerateArray());
    }

    [Fact]
    public async Task DelayedMessageIsExplained_ByTheTopicThatItWillHave()
    {
        await using var broker = await BrokerHost.StartAsync(new() { ["Modules:Delayed"] = "true" });
        using var api = new ApiClient(broker);
        await using var client = await RawClient.ConnectAsync(broker, "later");
        await client.SubscribeAsync("room/1");
        var answer = await api.SucceedAsync("GET", "/v5/explain/publish?topic=$delayed%2F60%2Froom%2F1&client=later");
        Assert.Equal(("room/1", "gets", "$delayed/60/room/1"), (Text(answer, "topic"), Text(Of(answer, "later"), "verdict"), Text(answer.GetProperty("publisher"), "topic")));
        Assert.StartsWith("it waits", Text(answer, "delay"), StringComparison.Ordinal);
        Assert.StartsWith("it is refused", Text(await api.SucceedAsync("GET", "/v5/explain/publish?topic=$delayed%2Fx%2Froom%2F1"), "delay"), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("", 115)]
    [InlineData("?topic=a%2F%23", 115)]
    [InlineData("?topic=a&qos=3", 116)]
    public async Task QuestionIsRefused_WhenItIsNone(string query, int code)
    {
        await using var broker = await BrokerHost.StartAsync([]);
        using var api = new ApiClient(broker);
        Assert.Equal(code, (await api.CallAsync("GET", $"/v5/explain/publish{query}")).GetProperty("code").GetInt32());
    }

    private static JsonElement Of(JsonElement answer, string clientId) => answer.GetProperty("receivers").EnumerateArray().Single(one => Text(one, "clientid") == clientId);

    private static string? Text(JsonElement row, string member) => row.GetProperty(member).GetString();
}
