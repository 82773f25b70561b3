using Broker.Gateway.Mqtt.Codec.V5;
using Broker.Gateway.Mqtt.Packets;
using Broker.Grains.Interfaces.Messages;
using Broker.Tests.Protocol.Harness;
using Xunit;

namespace Broker.Tests.Protocol;

/// <summary>Options that change what a session does: mountpoint, queue, QoS, resending.</summary>
public class SessionOptionTests
{
    [Fact]
    public async Task KeepsClientsApart_WhenMountpointHasClientAndUser()
    {
        await using var broker = await StartAsync(new() { ["Mqtt:Mountpoint"] = "dev/%c/%u/" });
        await using var a = await ConnectAsync(broker, "a", "x");
        await using var b = await ConnectAsync(broker, "b", "x");
        await a.SubscribeAsync("t/#", Qos.AtLeastOnce);
        await b.SubscribeAsync("#", Qos.AtLeastOnce);
        await a.PublishAsync("t/1", "mine", Qos.AtMostOnce, retain: true);
        await a.ExpectPublishAsync("t/1", "mine");
        await b.ExpectNothingAsync();
        await a.SubscribeAsync("$share/g/s", Qos.AtLeastOnce);
        await b.SubscribeAsync("$share/g/s", Qos.AtLeastOnce); // the same group name, another filter
        await a.SendAsync(WirePacket.Publish("s", "1"), WirePacket.Publish("s", "2"));
        await a.ExpectPublishAsync("s", "1");
        await a.ExpectPublishAsync("s", "2");
        await a.SendAsync(WirePacket.Unsubscribe(50, ["$share/g/s", "t/#"]));
        Assert.Equal((ReasonCode[])[ReasonCode.Success, ReasonCode.Success], (await a.ExpectAsync(PacketType.Unsuback)).Codes);
        await a.SubscribeAsync("t/1"); // what it retained is under its own mountpoint
        Assert.True((await a.ExpectPublishAsync("t/1", "mine")).Retain);
        await using var refused = await RawClient.OpenAsync(broker);
        await refused.SendAsync(WirePacket.Connect("c/+")); // a wildcard may not come in by the mountpoint
        Assert.Equal(ReasonCode.ClientIdentifierNotValid, (await refused.ExpectAsync(PacketType.Connack)).Code);
        await refused.ExpectClosedAsync();
    }

    [Fact]
    public async Task MountsWill_WhenItIsPublished()
    {
        await using var broker = await StartAsync(new() { ["Mqtt:Mountpoint"] = "m/%u/" });
        await using var watcher = await ConnectAsync(broker, "w", "u1");
        await using var stranger = await ConnectAsync(broker, "s", "u2");
        await watcher.SubscribeAsync("gone");
        await stranger.SubscribeAsync("#");
        var dying = await RawClient.OpenAsync(broker);
        await dying.SendAsync(WirePacket.Connect("d", userName: "u1", will: new WireWill("gone", "x")));
        await dying.ExpectAsync(PacketType.Connack);
        await dying.DisposeAsync();
        await watcher.ExpectPublishAsync("gone", "x");
        await stranger.ExpectNothingAsync();
        await using var tooLong = await RawClient.OpenAsync(broker);
        await tooLong.SendAsync(WirePacket.Connect("e", userName: new string('u', 2000), will: new WireWill(new string('t', 65_000), "x")));
        Assert.Equal(ReasonCode.TopicNameInvalid, (await tooLong.ExpectAsync(PacketType.Connack)).Code);
    }

    /// <summary>Mountpoint `a/` and `a/b/` both see topic `a/b/t`, one as `b/t`, the other as `t`.</summary>
    [Fact]
    public async Task TakesOffEachClientsOwnMountpoint_WhenOneLiesInTheOther()
    {
        await using var broker = await StartAsync(new() { ["Mqtt:Mountpoint"] = "%c/", ["Gateway:EventLoops"] = "1" });
        await using var outer = await RawClient.ConnectAsync(broker, "a");
        await using var outer2 = await RawClient.ConnectAsync(broker, "x");
        await using var inner = await RawClient.ConnectAsync(broker, "a/b");
        await outer.SubscribeAsync("b/t");
        await inner.SubscribeAsync("t");
        await inner.SendAsync(WirePacket.Publish("t", "1"));
        await outer.ExpectPublishAsync("b/t", "1");
        await inner.ExpectPublishAsync("t", "1");
        await outer.SendAsync(WirePacket.Publish("b/t", "2"));
        await outer.ExpectPublishAsync("b/t", "2");
        await inner.ExpectPublishAsync("t", "2");
    }

    [Fact]
    public async Task KeepsOwnMessagesAway_WhenIgnoreLoopDeliverAnd3x()
    {
        await using var broker = await StartAsync(new() { ["Mqtt:IgnoreLoopDeliver"] = "true" });
        foreach (var level in new[] { 3, 4, 5 })
        {
            await using var client = await RawClient.ConnectAsync(broker, $"c{level}", level);
            await client.SubscribeAsync("loop");
            await client.SendAsync(WirePacket.Publish("loop", "x", level: level));
            if (level == 5) await client.ExpectPublishAsync("loop", "x");
            await client.ExpectNothingAsync();
        }
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task DeliversAtHigherQos_WhenUpgradeQos(bool durable)
    {
        await using var broker = await StartAsync(new() { ["Mqtt:UpgradeQos"] = "true" });
        await using var client = await RawClient.ConnectAsync(broker, "c", expiry: durable ? 60u : null);
        await client.SubscribeAsync("up/1", Qos.AtLeastOnce);
        await client.SubscribeAsync("up/0", Qos.AtMostOnce);
        await client.SendAsync(WirePacket.Publish("up/1", "x"));
        await client.ExpectPublishAsync("up/1", "x", Qos.AtLeastOnce);
        await using var publisher = await RawClient.ConnectAsync(broker, "p");
        await publisher.PublishAsync("up/0", "y", Qos.ExactlyOnce);
        await client.ExpectPublishAsync("up/0", "y", Qos.ExactlyOnce);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task QueuesQos0ForAbsentClient_AsConfigured(bool queues)
    {
        await using var broker = await StartAsync(new() { ["Mqtt:QueueQos0"] = queues ? "true" : "false" });
        await using (var before = await RawClient.ConnectAsync(broker, "s", level: 4, cleanStart: false))
        {
            await before.SubscribeAsync("q", Qos.AtLeastOnce);
            await before.DisconnectAsync();
        }

        await using var publisher = await RawClient.ConnectAsync(broker, "p");
        await publisher.PublishAsync("q", "0", Qos.AtMostOnce);
        await publisher.PublishAsync("q", "1");
        await using var client = await RawClient.ConnectAsync(broker, "s", level: 4, cleanStart: false);
        if (queues) await client.ExpectPublishAsync("q", "0");
        await client.ExpectPublishAsync("q", "1", Qos.AtLeastOnce);
        await client.ExpectNothingAsync();
    }

    [Theory]
    [InlineData("Highest", "other,high,low")]
    [InlineData("Lowest", "high,low,other")]
    public async Task SendsHigherPriorityFirst_WhenQueuePrioritiesAreSet(string rest, string expected)
    {
        await using var broker = await StartAsync(new()
        {
            ["Mqtt:QueuePriorities:q/high"] = "10", ["Mqtt:QueuePriorities:q/low"] = "1", ["Mqtt:QueueDefaultPriority"] = rest,
        });
        await using var client = await RawClient.ConnectAsync(broker, "s", properties: new WireProperties().Add(PropertyId.ReceiveMaximum, (ushort)1));
        await using var publisher = await RawClient.ConnectAsync(broker, "p");
        await client.SubscribeAsync("q/+", Qos.AtLeastOnce);
        await publisher.PublishAsync("q/first", "x");
        foreach (var topic in new[] { "low", "other", "high" }) await publisher.PublishAsync($"q/{topic}", "x");
        var before = await client.ExpectPublishAsync("q/first", "x", Qos.AtLeastOnce);
        foreach (var topic in expected.Split(','))
        {
            await client.SendAsync(WirePacket.Puback(before.Id));
            before = await client.ExpectPublishAsync($"q/{topic}", "x", Qos.AtLeastOnce);
        }
    }

    [Fact]
    public async Task DropsOldest_WhenQueueIsFull()
    {
        await using var broker = await StartAsync(new() { ["Mqtt:MaxQueueLength"] = "3", ["Mqtt:MaxInflight"] = "2" });
        await using var transient = await RawClient.ConnectAsync(broker, "t");
        await using var durable = await RawClient.ConnectAsync(broker, "d", expiry: 60);
        await using var publisher = await RawClient.ConnectAsync(broker, "p");
        await transient.SubscribeAsync("full", Qos.AtLeastOnce);
        await durable.SubscribeAsync("full", Qos.AtLeastOnce);
        for (var i = 0; i < 10; i++) await publisher.PublishAsync("full", $"{i}");
        foreach (var client in new[] { transient, durable })
        {
            foreach (var payload in new[] { "0", "1", "7", "8", "9" })
            {
                var got = await client.ExpectPublishAsync("full", payload, Qos.AtLeastOnce);
                await client.SendAsync(WirePacket.Puback(got.Id));
            }

            await client.ExpectNothingAsync();
        }
    }

    [Fact]
    public async Task TakesUserNameAsClientId_WhenConfigured()
    {
        await using var broker = await StartAsync(new() { ["Mqtt:UseUsernameAsClientId"] = "true" });
        await using var first = await ConnectAsync(broker, "one", "same");
        await using var other = await ConnectAsync(broker, "one", "different");
        await using var second = await ConnectAsync(broker, "two", "same");
        await first.ExpectDisconnectAsync(ReasonCode.SessionTakenOver);
        await other.ExpectNothingAsync();
        await using var nameless = await RawClient.ConnectAsync(broker, "plain");
        await nameless.ExpectNothingAsync();
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task AnswersBadFilter_AsStrictModeSays(bool strict)
    {
        await using var broker = await StartAsync(new() { ["Mqtt:StrictMode"] = strict ? "true" : "false" });
        foreach (var level in new[] { 4, 5 })
        {
            await using var client = await RawClient.ConnectAsync(broker, $"c{level}", level);
            await client.SendAsync(WirePacket.Subscribe(1, [("a/#/b", 0), ("good", 0)], level));
            if (strict)
            {
                await client.ExpectDisconnectAsync(ReasonCode.TopicFilterInvalid);
                continue;
            }

            Assert.Equal((ReasonCode[])[level == 5 ? ReasonCode.TopicFilterInvalid : ReasonCode.UnspecifiedError, ReasonCode.Success], (await client.ExpectAsync(PacketType.Suback)).Codes);
        }
    }

    [Theory]
    [InlineData(4, true)]
    [InlineData(4, false)]
    [InlineData(5, false)]
    [Clause("3.1.1 MQTT-4.4.0-1")]
    [Clause("MQTT-4.4.0-1")]
    public async Task ResendsWhileConnected_OnlyIn3x(int level, bool durable)
    {
        await using var broker = await StartAsync(new() { ["Mqtt:RetryInterval"] = "00:00:02" });
        await using var client = await RawClient.ConnectAsync(broker, "s", level, cleanStart: !durable);
        await using var publisher = await RawClient.ConnectAsync(broker, "p");
        await using var old = await RawClient.ConnectAsync(broker, "old", level: 4);
        await client.SubscribeAsync("again", Qos.ExactlyOnce);
        await old.SubscribeAsync("again", Qos.AtLeastOnce);
        await publisher.PublishAsync("again", "1");
        await publisher.PublishAsync("again", "2", Qos.ExactlyOnce);
        var one = await client.ExpectPublishAsync("again", "1", Qos.AtLeastOnce);
        var two = await client.ExpectPublishAsync("again", "2", Qos.ExactlyOnce);
        Assert.False(one.Dup || two.Dup);
        await client.SendAsync(WirePacket.Pubrec(two.Id));
        Assert.Equal(two.Id, (await client.ExpectAsync(PacketType.Pubrel)).Id);
        await old.ExpectPublishAsync("again", "1", Qos.AtLeastOnce);
        await old.ExpectPublishAsync("again", "2", Qos.AtLeastOnce);
        broker.Advance(TimeSpan.FromSeconds(3));
        if (level == 5)
        {
            await old.ExpectPublishAsync("again", "1", Qos.AtLeastOnce); // the wheel has turned
            await client.ExpectNothingAsync();
            return;
        }

        var repeated = await client.ExpectPublishAsync("again", "1", Qos.AtLeastOnce);
        Assert.Equal((true, one.Id), (repeated.Dup, repeated.Id));
        Assert.Equal(two.Id, (await client.ExpectAsync(PacketType.Pubrel)).Id);
    }

    private static async Task<RawClient> ConnectAsync(BrokerHost broker, string clientId, string userName)
    {
        var client = await RawClient.OpenAsync(broker);
        await client.SendAsync(WirePacket.Connect(clientId, userName: userName));
        Assert.Equal(ReasonCode.Success, (await client.ExpectAsync(PacketType.Connack)).Code);
        return client;
    }

    protected virtual Task<BrokerHost> StartAsync(Dictionary<string, string?> settings) => BrokerHost.StartAsync(settings);
}
