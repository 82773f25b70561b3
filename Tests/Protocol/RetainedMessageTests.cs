using Broker.Gateway.Mqtt.Packets;
using Broker.Grains.Interfaces.Messages;
using Broker.Tests.Protocol.Harness;
using Xunit;

namespace Broker.Tests.Protocol;

public class RetainedMessageTests(BrokerHost broker) : IClassFixture<BrokerHost>
{
    [Fact]
    [Clause("MQTT-3.3.1-5")]
    [Clause("MQTT-3.3.1-6")]
    [Clause("MQTT-3.3.1-7")]
    [Clause("MQTT-3.3.1-8")]
    public async Task StoresReplacesDeletes_AsPublished()
    {
        await using var publisher = await RawClient.ConnectAsync(broker, "rm-p");
        await publisher.PublishAsync("rm/one", "1", Qos.AtMostOnce, retain: true);
        await publisher.PublishAsync("rm/one", "2", Qos.ExactlyOnce, retain: true);
        await publisher.PublishAsync("rm/one", "not kept");
        await using (var subscriber = await RawClient.ConnectAsync(broker, "rm-s1"))
        {
            await subscriber.SubscribeAsync("rm/one", Qos.ExactlyOnce);
            var got = await subscriber.ExpectPublishAsync("rm/one", "2", Qos.ExactlyOnce);
            Assert.True(got.Retain);
            await subscriber.ExpectNothingAsync();
            await publisher.PublishAsync("rm/one", "", retain: true);
            got = await subscriber.ExpectPublishAsync("rm/one", "", Qos.AtLeastOnce); // the deletion is a message like others
            Assert.False(got.Retain);
        }

        await using var later = await RawClient.ConnectAsync(broker, "rm-s2");
        await later.SubscribeAsync("rm/one");
        await later.ExpectNothingAsync();
        await publisher.PublishAsync("rm/one", "", retain: true); // nothing to delete
        await later.ExpectPublishAsync("rm/one", "");
    }

    [Theory]
    [InlineData(4)]
    [InlineData(5)]
    public async Task SendsTheRest_WhenDurableClientLeavesInTheMiddle(int level)
    {
        const int Count = 1300; // two pages are not enough
        await using var publisher = await RawClient.ConnectAsync(broker, $"rm-rest-p{level}");
        for (var i = 0; i < Count; i++) await publisher.PublishAsync($"rm/rest{level}/{i}", "x", retain: true);
        uint? expiry = level == 5 ? 100u : null;
        var client = await RawClient.ConnectAsync(broker, $"rm-rest-{level}", level, cleanStart: false, expiry: expiry);
        await client.SubscribeAsync($"rm/rest{level}/#", Qos.AtLeastOnce);
        var topics = new List<string>();
        foreach (var until in new[] { 10, 700, Count })
        {
            while (topics.Count < until)
            {
                var packet = await client.ExpectAsync(PacketType.Publish);
                Assert.True(packet.Retain);
                topics.Add(packet.Topic);
                await client.SendAsync(WirePacket.Puback(packet.Id));
            }

            await client.SendAsync(WirePacket.Disconnect());
            while (await client.TryReceiveAsync() is not null)
            {
                // Not acknowledged: it comes again.
            }

            await broker.SettleAsync();
            client = await RawClient.ConnectAsync(broker, $"rm-rest-{level}", level, cleanStart: false, expiry: expiry);
            Assert.True(client.Connack.SessionPresent);
        }

        Assert.Equal(Count, topics.Distinct().Count());
        await client.ExpectNothingAsync();
        await client.DisposeAsync();
    }

    [Fact]
    public async Task ComesOnce_WhenItIsRetainedAfterADurableClientHasLeft()
    {
        await using var publisher = await RawClient.ConnectAsync(broker, "rm-left-p");
        for (var i = 0; i < 10; i++)
        {
            await using var client = await RawClient.ConnectAsync(broker, $"rm-left-{i}", expiry: 100);
            await client.SendAsync(WirePacket.Subscribe(1, $"+/left{i}", Qos.AtLeastOnce), WirePacket.Disconnect());
            await client.ExpectAsync(PacketType.Suback);
            await client.ExpectClosedAsync();
            await publisher.PublishAsync($"rm/left{i}", "x", retain: true);
            await using var again = await RawClient.ConnectAsync(broker, $"rm-left-{i}", cleanStart: false, expiry: 100);
            Assert.False((await again.ExpectPublishAsync($"rm/left{i}", "x", Qos.AtLeastOnce)).Retain);
            await again.ExpectNothingAsync();
        }
    }

    [Theory]
    [InlineData(4)]
    [InlineData(5)]
    public async Task DeliversAtLowerQos_WhenSubscriptionOrMessageIsLower(int level)
    {
        await using var client = await RawClient.ConnectAsync(broker, $"rm-qos-{level}", level);
        for (var qos = Qos.AtMostOnce; qos <= Qos.ExactlyOnce; qos++) await client.PublishAsync($"rm/qos{level}/{(int)qos}", "x", qos, retain: true);
        for (var wanted = Qos.AtMostOnce; wanted <= Qos.ExactlyOnce; wanted++)
        {
            for (var qos = Qos.AtMostOnce; qos <= Qos.ExactlyOnce; qos++)
            {
                await client.SubscribeAsync($"rm/qos{level}/{(int)qos}", wanted);
                Assert.True((await client.ExpectPublishAsync($"rm/qos{level}/{(int)qos}", "x", qos < wanted ? qos : wanted)).Retain);
            }
        }
    }

    [Theory]
    [InlineData("rmw/+", "rmw/a,rmw/b")]
    [InlineData("rmw/#", "rmw,rmw/a,rmw/a/x,rmw/b")]
    [InlineData("rmw/+/x", "rmw/a/x")]
    [InlineData("+/a/x", "rmw/a/x")]
    [InlineData("rmw/a", "rmw/a")]
    [InlineData("rmw/+/#", "rmw/a,rmw/a/x,rmw/b")]
    [InlineData("$rmw/#", "$rmw/a")]
    [InlineData("$rmw/+", "$rmw/a")]
    [Clause("MQTT-4.7.2-1")]
    public async Task DeliversWhatMatches_WhenFilterHasWildcards(string filter, string expected)
    {
        await using var client = await RawClient.ConnectAsync(broker, "rmw-" + filter.Replace('/', '_').Replace('+', 'p').Replace('#', 'h'));
        foreach (var topic in new[] { "rmw", "rmw/a", "rmw/b", "rmw/a/x", "$rmw/a" }) await client.PublishAsync(topic, "x", retain: true);
        await client.SubscribeAsync(filter);
        var seen = new List<string>();
        foreach (var _ in expected.Split(',')) seen.Add((await client.ExpectAsync(PacketType.Publish)).Topic);
        await client.ExpectNothingAsync();
        Assert.Equal(expected.Split(','), seen.Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task KeepsMessages_WhenBrokerRestarts()
    {
        await using var broker = await StartAsync([]);
        await using (var publisher = await RawClient.ConnectAsync(broker, "p"))
        {
            await publisher.PublishAsync("a/b/c", "old", retain: true);
            await publisher.PublishAsync("a/b/c", "new", Qos.ExactlyOnce, retain: true);
            await publisher.PublishAsync("a/b/d", "dead", retain: true);
            await publisher.PublishAsync("a/b/d", "", retain: true);
        }

        await broker.RestartAsync();
        await using var client = await RawClient.ConnectAsync(broker, "s");
        await client.SubscribeAsync("a/#", Qos.ExactlyOnce);
        Assert.True((await client.ExpectPublishAsync("a/b/c", "new", Qos.ExactlyOnce)).Retain);
        await client.ExpectNothingAsync();
    }

    [Fact]
    public async Task KeepsToLimits_WhenMessageIsOneTooManyOrTooLarge()
    {
        await using var broker = await StartAsync(new()
        {
            ["Retained:MaxMessages"] = "2", ["Retained:MaxPayloadBytes"] = "10", ["Retained:StopPublishClearMessage"] = "true", ["Retained:ExpirySeconds"] = "50",
        });
        await using var client = await RawClient.ConnectAsync(broker, "c");
        await using var live = await RawClient.ConnectAsync(broker, "live");
        await live.SubscribeAsync("l/#");
        await client.PublishAsync("l/1", "1", retain: true);
        await client.PublishAsync("l/2", "12345678901", retain: true); // too large: delivered only
        await client.PublishAsync("l/3", "3", retain: true);
        await client.PublishAsync("l/4", "4", retain: true); // one too many
        await client.PublishAsync("l/1", "1a", retain: true); // replacing is allowed
        foreach (var (topic, payload) in new[] { ("l/1", "1"), ("l/2", "12345678901"), ("l/3", "3"), ("l/4", "4"), ("l/1", "1a") }) await live.ExpectPublishAsync(topic, payload);
        await ExpectRetainedAsync(client, "l/1=1a", "l/3=3");
        await client.PublishAsync("l/3", "", retain: true);
        await live.ExpectNothingAsync(); // StopPublishClearMessage
        await client.PublishAsync("l/4", "4", retain: true); // room again
        await live.ExpectPublishAsync("l/4", "4");
        await ExpectRetainedAsync(client, "l/1=1a", "l/4=4");
        await client.PublishAsync("l/1", "12345678901", retain: true); // too large: what was there stays
        await ExpectRetainedAsync(client, "l/1=1a", "l/4=4");
        broker.Advance(TimeSpan.FromSeconds(51));
        await ExpectRetainedAsync(client);
    }

    /// <summary>Far more than the session's queue holds: they are read as the client acknowledges.</summary>
    [Theory]
    [InlineData(Qos.AtLeastOnce, false)]
    [InlineData(Qos.AtLeastOnce, true)]
    [InlineData(Qos.ExactlyOnce, false)]
    [InlineData(Qos.AtMostOnce, false)]
    public async Task DeliversAll_WhenMoreAreRetainedThanTheQueueHolds(Qos qos, bool durable)
    {
        var count = qos == Qos.ExactlyOnce ? 1500 : 5000;
        var root = $"rm5/{(int)qos}{durable}";
        await using var publisher = await RawClient.ConnectAsync(broker, $"rm5-p-{qos}-{durable}");
        if (qos == Qos.ExactlyOnce)
        {
            for (var i = 0; i < count; i++) await publisher.PublishAsync($"{root}/{i}/x", $"{i}", qos, retain: true);
        }
        else
        {
            await publisher.SendAsync([.. Enumerable.Range(0, count).Select(i => WirePacket.Publish($"{root}/{i}/x", $"{i}", Qos.AtLeastOnce, (ushort)(i + 1), retain: true))]);
            for (var i = 0; i < count; i++) await publisher.ExpectAsync(PacketType.Puback);
        }

        await using var client = await RawClient.ConnectAsync(broker, $"rm5-s-{qos}-{durable}", expiry: durable ? 60u : null);
        await client.SubscribeAsync($"{root}/+/x", qos);
        var seen = new HashSet<string>();
        var unacknowledged = new Queue<int>();
        while (seen.Count < count)
        {
            var got = await client.ReceiveAsync();
            if (got.Type == PacketType.Pubrel) continue;
            Assert.True(seen.Add(got.Topic), got.ToString());
            if (got.Qos == Qos.AtLeastOnce) unacknowledged.Enqueue(got.Id);
            else if (got.Qos == Qos.ExactlyOnce) await client.SendAsync(WirePacket.Pubrec(got.Id), WirePacket.Pubcomp(got.Id));
            if (unacknowledged.Count == 32) await client.SendAsync([.. unacknowledged.Select(WirePacket.Puback)]);
            if (unacknowledged.Count == 32) unacknowledged.Clear();
        }

        await client.SendAsync([.. unacknowledged.Select(WirePacket.Puback), WirePacket.Pingreq]);
        for (ServerPacket got; (got = await client.ReceiveAsync()).Type != PacketType.Pingresp;) Assert.Equal(PacketType.Pubrel, got.Type);
    }

    [Fact]
    public async Task StopsRetained_WhenUnsubscribedMeanwhile()
    {
        await using var client = await RawClient.ConnectAsync(broker, "rm-stop");
        for (var at = 0; at < 2000; at += 500) await client.SendAsync([.. Enumerable.Range(at, 500).Select(i => WirePacket.Publish($"rm/stop/{i}", "x", retain: true))]);
        await client.PublishAsync("rm/stop/last", "x", retain: true);
        await client.SubscribeAsync("rm/stop/#", Qos.AtLeastOnce);
        await client.SendAsync(WirePacket.Unsubscribe(1000, ["rm/stop/#"]));
        var ids = new List<int>();
        for (ServerPacket got; (got = await client.ReceiveAsync()).Type != PacketType.Unsuback;) ids.Add(got.Id);
        // What was handed to the session already still comes; the rest does not.
        for (var seen = 0; ; seen++)
        {
            await client.SendAsync([.. ids.Where(id => id != 0).Select(WirePacket.Puback), WirePacket.Pingreq]);
            ids.Clear();
            for (ServerPacket got; (got = await client.ReceiveAsync()).Type != PacketType.Pingresp;) ids.Add(got.Id);
            if (ids.Count == 0) break;
            Assert.True(seen < 1000, "retained messages go on after UNSUBACK");
        }
    }

    private static async Task ExpectRetainedAsync(RawClient client, params string[] expected)
    {
        await client.SubscribeAsync("l/#");
        var seen = new List<string>();
        foreach (var _ in expected)
        {
            var got = await client.ExpectAsync(PacketType.Publish);
            seen.Add($"{got.Topic}={got.Text}");
        }

        await client.SendAsync(WirePacket.Unsubscribe(999, ["l/#"]));
        await client.ExpectAsync(PacketType.Unsuback); // and nothing more before it
        Assert.Equal(expected, seen.Order(StringComparer.Ordinal));
    }

    private Task<BrokerHost> StartAsync(Dictionary<string, string?> settings) => broker.StartOtherAsync(settings);
}
