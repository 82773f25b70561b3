using System.Text.Json;
using Broker.Gateway.Mqtt.Packets;
using Broker.Grains.Interfaces.Messages;
using Broker.Tests.Protocol.Harness;
using Xunit;

namespace Broker.Tests.Protocol.Admin;

/// <summary>The flight recorder: what happened to a client, and why.</summary>
public sealed class HistoryApiTests
{
    [Fact]
    public async Task EverythingThatHappenedToAClientIsTold()
    {
        await using var broker = await BrokerHost.StartAsync(new() { ["Mqtt:MaxQueueLength"] = "2" });
        using var api = new ApiClient(broker);
        await api.SucceedAsync("POST", "/banned", """{"who":"probe","as":"clientid","reason":"noisy","by":"ann"}""");
        await using (var refused = await RawClient.OpenAsync(broker))
        {
            await refused.SendAsync(WirePacket.Connect("probe"));
            Assert.Equal(ReasonCode.Banned, (await refused.ExpectAsync(PacketType.Connack)).Code);
        }

        await api.SucceedAsync("DELETE", "/banned/clientid/probe");
        await api.SucceedAsync("POST", "/acl", """{"clientid":"probe","topic":"secret/#","action":"pubsub","access":"deny"}""");
        await using (var client = await RawClient.OpenAsync(broker))
        {
            await client.SendAsync(WirePacket.Connect("probe", userName: "someone"));
            await client.ExpectAsync(PacketType.Connack);
            await client.SubscribeAsync("probe/#", Qos.AtLeastOnce);
            for (ushort id = 50; id < 52; id++)
            {
                await client.SendAsync(WirePacket.Publish("secret/1", "x", Qos.AtLeastOnce, id));
                Assert.Equal(ReasonCode.NotAuthorized, (await client.ExpectAsync(PacketType.Puback)).Code);
            }

            await api.SucceedAsync("DELETE", "/clients/probe");
            await client.ExpectAsync(PacketType.Disconnect);
        }

        await Wait.UntilAsync(async () => (await HistoryAsync(api)).Length >= 6, "six events");
        var events = await HistoryAsync(api);
        Assert.Equal(["connect_refused", "connected", "subscribed", "publish_denied", "disconnected", "session_ended"], events.Select(one => Text(one, "event")));
        Assert.Equal(("0x8A banned", "ann"), (Text(events[0], "code"), Text(events[0], "source")));
        Assert.Contains("noisy", Text(events[0], "reason"), StringComparison.Ordinal);
        Assert.Matches(@"^127\.0\.0\.1:\d+, listener default, MQTT level 5$", Text(events[1], "peer"));
        Assert.Equal("probe/#", Text(events[2], "topic"));
        Assert.Equal(("secret/1", "0x87 not_authorized", 2), (Text(events[3], "topic"), Text(events[3], "code"), events[3].GetProperty("count").GetInt32()));
        Assert.Contains("secret/#", Text(events[3], "rule"), StringComparison.Ordinal);
        Assert.Equal("kicked", Text(events[4], "reason"));
        Assert.All(events, one => Assert.Equal("broker@127.0.0.1", Text(one, "node")));
        Assert.Equal(events.Select(one => Text(one, "at")).Order(StringComparer.Ordinal), events.Select(one => Text(one, "at")));
    }

    [Fact]
    public async Task WhatTheBrokerDoesNotTakeIsTold_WithItsCode()
    {
        await using var broker = await BrokerHost.StartAsync(new()
        {
            ["Mqtt:SharedSubscription"] = "false", ["Mqtt:WildcardSubscription"] = "false", ["Mqtt:MaxTopicLevels"] = "3", ["Mqtt:MaxSubscriptions"] = "1", ["Mqtt:RetainAvailable"] = "false",
        });
        using var api = new ApiClient(broker);
        await using (var client = await RawClient.ConnectAsync(broker, "probe", 4))
        {
            await client.SubscribeAsync("one");
            string[] refused = ["$share/g/a", "a/+", "a/b/c/d", "a/#/b", "$exclusive/a", "two"];
            await client.SendAsync(WirePacket.Subscribe(9, Array.ConvertAll(refused, filter => (filter, (byte)1)), level: 4));
            Assert.All((await client.ExpectAsync(PacketType.Suback)).Codes, code => Assert.Equal(ReasonCode.UnspecifiedError, code));
            await client.SendAsync(WirePacket.Publish("kept", "x", Qos.AtLeastOnce, 10, retain: true, level: 4));
            await client.ExpectClosedAsync();
        }

        await Wait.UntilAsync(async () => (await HistoryAsync(api)).Any(one => Text(one, "event") == "session_ended"), "the end");
        var denied = (await HistoryAsync(api)).Where(one => Text(one, "event")!.EndsWith("_denied", StringComparison.Ordinal)).ToArray();
        Assert.Equal(
            [
                ("subscribe_denied", "$share/g/a", "0x9E shared_subscriptions_not_supported"), ("subscribe_denied", "a/+", "0xA2 wildcard_subscriptions_not_supported"),
                ("subscribe_denied", "a/b/c/d", "0x8F topic_filter_invalid"), ("subscribe_denied", "a/#/b", "0x8F topic_filter_invalid"),
                ("subscribe_denied", "$exclusive/a", "0x8F topic_filter_invalid"), ("subscribe_denied", "two", "0x97 quota_exceeded"), ("publish_denied", "kept", "0x9A retain_not_supported"),
            ],
            denied.Select(one => (Text(one, "event"), Text(one, "topic"), Text(one, "code"))));
        Assert.All(denied, one => Assert.Equal("broker", Text(one, "source")));
        Assert.Equal("Mqtt:RetainAvailable is off", Text(denied[^1], "reason"));
    }

    [Fact]
    public async Task LostMessagesAreTold()
    {
        await using var broker = await BrokerHost.StartAsync(new() { ["Mqtt:MaxQueueLength"] = "2" });
        using var api = new ApiClient(broker);
        await using var slow = await RawClient.OpenAsync(broker);
        await slow.SendAsync(WirePacket.Connect("probe", properties: new WireProperties().Add(Broker.Gateway.Mqtt.Codec.V5.PropertyId.ReceiveMaximum, (ushort)1)));
        await slow.ExpectAsync(PacketType.Connack);
        await slow.SubscribeAsync("probe/1", Qos.AtLeastOnce);
        await using var publisher = await RawClient.ConnectAsync(broker, "publisher");
        for (var i = 0; i < 6; i++) await publisher.PublishAsync("probe/1", "x");
        var dropped = (await HistoryAsync(api)).Single(one => Text(one, "event") == "dropped");
        Assert.Equal(("probe/1", "queue_full", 3), (Text(dropped, "topic"), Text(dropped, "reason"), dropped.GetProperty("count").GetInt32()));
    }

    [Fact]
    public async Task HistoryIsEmpty_WhenNothingHappened()
    {
        await using var broker = await BrokerHost.StartAsync([]);
        using var api = new ApiClient(broker);
        Assert.Empty(await HistoryAsync(api));
    }

    private static async Task<JsonElement[]> HistoryAsync(ApiClient api) => [.. (await api.SucceedAsync("GET", "/v5/clients/probe/history")).EnumerateArray()];

    private static string? Text(JsonElement row, string member) => row.GetProperty(member).GetString();
}
