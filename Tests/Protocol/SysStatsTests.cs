using Broker.Gateway.Mqtt.Packets;
using Broker.Grains.Interfaces.Messages;
using Broker.Tests.Protocol.Harness;
using Xunit;

namespace Broker.Tests.Protocol;

/// <summary>The statistics below `$SYS/brokers/…/stats/` follow what clients do, up and down. The watcher is among what they count.</summary>
public sealed class SysStatsTests
{
    [Fact]
    public async Task ConnectionsAndSessionsFollow_WhenClientsComeAndGo()
    {
        await using var broker = await StartAsync();
        await using var stats = await StatsWatcher.StartAsync(broker);
        await using var opened = await RawClient.OpenAsync(broker); // without CONNECT it is no client yet
        var one = await RawClient.ConnectAsync(broker, "one");
        var two = await RawClient.ConnectAsync(broker, "two", level: 4);
        await stats.ExpectAsync(("connections.count", 3), ("connections.max", 3), ("channels.count", 3), ("sessions.count", 3), ("sessions.max", 3));
        one.Drop();
        await stats.ExpectAsync(("connections.count", 2), ("sessions.count", 2), ("connections.max", 3));
        await two.DisconnectAsync();
        await stats.ExpectAsync(("connections.count", 1), ("channels.count", 1), ("sessions.count", 1), ("connections.max", 3), ("channels.max", 3));
    }

    [Fact]
    public async Task SubscriptionsFollow_WhenTransientClientsSubscribeAndLeave()
    {
        await using var broker = await StartAsync();
        await using var stats = await StatsWatcher.StartAsync(broker);
        await using var one = await RawClient.ConnectAsync(broker, "one");
        var two = await RawClient.ConnectAsync(broker, "two");
        await one.SubscribeAsync("a/b");
        await one.SubscribeAsync("a/b", Qos.AtLeastOnce); // replaces it
        await one.SubscribeAsync("#"); // has routes in every shard
        await two.SubscribeAsync("a/b");
        await two.SubscribeAsync("$share/g/a/b");
        await two.SubscribeAsync("$share/g/c");
        await stats.ExpectAsync(
            ("subscriptions.count", 6), ("suboptions.count", 6), ("subscribers.count", 4), ("subscriptions.shared.count", 2), ("topics.count", 4), ("routes.count", 4));
        await one.SendAsync(WirePacket.Unsubscribe(9, ["a/b", "not/there"]));
        await one.ExpectAsync(PacketType.Unsuback);
        await stats.ExpectAsync(("subscriptions.count", 5), ("subscribers.count", 3), ("topics.count", 4));
        two.Drop();
        await stats.ExpectAsync(
            ("subscriptions.count", 2), ("suboptions.count", 2), ("subscribers.count", 2), ("subscriptions.shared.count", 0), ("topics.count", 2), ("routes.count", 2),
            ("subscriptions.max", 6), ("suboptions.max", 6), ("subscribers.max", 4), ("subscriptions.shared.max", 2), ("topics.max", 4), ("routes.max", 4));
    }

    [Fact]
    public async Task DurableSessionStays_UntilItsClientStartsClean()
    {
        await using var broker = await StartAsync();
        await using (var stats = await StatsWatcher.StartAsync(broker))
        {
            await using var client = await RawClient.ConnectAsync(broker, "durable", expiry: 1000);
            foreach (var filter in new[] { "a/b", "#", "$share/g/c", "$share/g/#" }) await client.SubscribeAsync(filter);
            await stats.ExpectAsync(("connections.count", 2), ("sessions.count", 2), ("subscriptions.count", 5), ("subscriptions.shared.count", 2), ("topics.count", 4));
            client.Drop();
            await stats.ExpectAsync(("connections.count", 1), ("sessions.count", 2), ("channels.count", 2), ("subscriptions.count", 5), ("subscribers.count", 3));
        }

        await broker.RestartAsync();
        await using var again = await StatsWatcher.StartAsync(broker);
        await again.ExpectAsync(("connections.count", 1), ("sessions.count", 2), ("subscriptions.count", 5), ("subscriptions.shared.count", 2), ("topics.count", 4));
        await using (var client = await RawClient.ConnectAsync(broker, "durable", cleanStart: false, expiry: 1000))
        {
            Assert.True(client.Connack.SessionPresent);
            await client.SendAsync(WirePacket.Unsubscribe(9, ["#", "$share/g/c"]));
            await client.ExpectAsync(PacketType.Unsuback);
            await again.ExpectAsync(("connections.count", 2), ("sessions.count", 2), ("subscriptions.count", 3), ("subscriptions.shared.count", 1), ("topics.count", 3));
        }

        await using var clean = await RawClient.ConnectAsync(broker, "durable");
        await again.ExpectAsync(("connections.count", 2), ("sessions.count", 2), ("subscriptions.count", 1), ("subscriptions.shared.count", 0), ("topics.count", 1));
        await clean.DisconnectAsync();
        await again.ExpectAsync(("connections.count", 1), ("sessions.count", 1), ("subscribers.count", 1));
    }

    [Fact]
    public async Task DurableSessionGoes_WhenItExpires()
    {
        await using var broker = await StartAsync();
        await using var stats = await StatsWatcher.StartAsync(broker);
        await using var client = await RawClient.ConnectAsync(broker, "expires", level: 5, expiry: 60);
        await client.SubscribeAsync("a/b", Qos.AtLeastOnce);
        await client.DisconnectAsync();
        await stats.ExpectAsync(("sessions.count", 2), ("subscriptions.count", 2));
        broker.Advance(TimeSpan.FromMinutes(2));
        await stats.ExpectAsync(("sessions.count", 1), ("channels.count", 1), ("subscriptions.count", 1), ("subscribers.count", 1), ("topics.count", 1));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task NothingCountsTwice_WhenAClientIsTakenOver(bool durable)
    {
        await using var broker = await StartAsync();
        await using var stats = await StatsWatcher.StartAsync(broker);
        await using var old = await RawClient.ConnectAsync(broker, "again", cleanStart: false, expiry: durable ? 100u : 0);
        await old.SubscribeAsync("a/b");
        await using var newer = await RawClient.ConnectAsync(broker, "again", cleanStart: false, expiry: durable ? 100u : 0);
        await old.ExpectDisconnectAsync(ReasonCode.SessionTakenOver);
        await stats.ExpectAsync(("connections.count", 2), ("sessions.count", 2), ("channels.count", 2), ("subscriptions.count", durable ? 2 : 1));
        await newer.DisconnectAsync();
        await stats.ExpectAsync(("connections.count", 1), ("sessions.count", durable ? 2 : 1), ("subscriptions.count", durable ? 2 : 1));
        await stats.ExpectAsync(("connections.max", 2), ("sessions.max", 2), ("channels.max", 2));
    }

    [Fact]
    public async Task RetainedFollows_WhenMessagesAreSetReplacedAndDeleted()
    {
        await using var broker = await StartAsync();
        await using var client = await RawClient.ConnectAsync(broker, "client");
        await using var stats = await StatsWatcher.StartAsync(broker);
        // The three topics that the broker retains itself come with the first publication.
        await stats.ExpectAsync(("retained.count", 3));
        await client.PublishAsync("a", "1", retain: true);
        await client.PublishAsync("b", "2", retain: true);
        await client.PublishAsync("b", "3", retain: true);
        await stats.ExpectAsync(("retained.count", 5), ("retained.max", 5));
        await client.PublishAsync("a", "", retain: true);
        await client.PublishAsync("never/there", "", retain: true);
        await stats.ExpectAsync(("retained.count", 4), ("retained.max", 5));
    }

    private static Task<BrokerHost> StartAsync() => BrokerHost.StartAsync(new() { ["Mqtt:SysInterval"] = "00:00:00.05" });
}
