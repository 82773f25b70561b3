using Broker.Gateway.Mqtt.Packets;
using Broker.Grains.Interfaces.Messages;
using Broker.Grains.Interfaces.Metrics;
using Broker.Tests.Protocol.Harness;
using Xunit;

namespace Broker.Tests.Protocol;

/// <summary>A client can hurt only itself: every queue has its bound.</summary>
public class BackPressureTests
{
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task DropsOldest_WhenSubscriberDoesNotRead(bool durable)
    {
        const int Count = 400;
        await using var broker = await StartAsync(new() { ["Mqtt:MaxQueueLength"] = "50", ["Mqtt:HighWatermark"] = "65536" });
        await using var stuck = await RawClient.ConnectAsync(broker, "stuck", expiry: durable ? 60u : null);
        await using var other = await RawClient.ConnectAsync(broker, "other");
        await using var publisher = await RawClient.ConnectAsync(broker, "publisher");
        await stuck.SubscribeAsync("flood");
        await other.SubscribeAsync("flood");
        var dropped = BrokerCounters.Read(Metric.DeliveryDroppedQueueFull);
        var payload = new byte[64 * 1024];
        for (var i = 0; i < Count; i++)
        {
            payload[0] = (byte)i;
            payload[1] = (byte)(i >> 8);
            await publisher.SendAsync(WirePacket.Publish("flood", payload, Qos.AtMostOnce, 0));
            Assert.Equal(i, Number(await other.ExpectAsync(PacketType.Publish))); // not held up
        }

        Assert.True(BrokerCounters.Read(Metric.DeliveryDroppedQueueFull) > dropped);
        // What it reads in the end: the first, then a gap, then the last fifty.
        var seen = new List<int>();
        while (seen.Count == 0 || seen[^1] != Count - 1) seen.Add(Number(await stuck.ExpectAsync(PacketType.Publish)));
        Assert.Equal(seen.Order(), seen);
        Assert.Equal(0, seen[0]);
        Assert.InRange(seen.Count, 51, Count - 1);
        Assert.Equal(Enumerable.Range(Count - 50, 50), seen.TakeLast(50));
        await stuck.ExpectNothingAsync();
    }

    [Fact]
    public async Task HoldsPublisher_WhenStoreIsSlower()
    {
        const int Count = 20_000;
        await using var broker = await StartAsync(new() { ["Mqtt:MaxQueueLength"] = "100" });
        await using (var away = await RawClient.ConnectAsync(broker, "away", expiry: 600))
        {
            await away.SubscribeAsync("store/#", Qos.AtLeastOnce);
            await away.DisconnectAsync();
        }

        await using var publisher = await RawClient.ConnectAsync(broker, "publisher");
        var sending = Task.Run(async () =>
        {
            for (var i = 0; i < Count; i += 1000)
            {
                await publisher.SendAsync([.. Enumerable.Range(i, 1000).Select(n => WirePacket.Publish("store/x", $"{n}", Qos.AtLeastOnce, (ushort)(n + 1)))]);
            }
        });
        for (var i = 0; i < Count; i++) Assert.Equal(i + 1, (await publisher.ExpectAsync(PacketType.Puback)).Id);
        await sending;
        await using var back = await RawClient.ConnectAsync(broker, "away", cleanStart: false, expiry: 600);
        for (var i = Count - 100; i < Count; i++)
        {
            var got = await back.ExpectPublishAsync("store/x", $"{i}", Qos.AtLeastOnce);
            await back.SendAsync(WirePacket.Puback(got.Id));
        }

        await back.ExpectNothingAsync();
    }

    [Fact]
    public async Task CutsHalfOpenClient_WhenItsKeepAlivePasses()
    {
        await using var broker = await StartAsync(new() { ["Mqtt:HighWatermark"] = "65536" });
        await using var dead = await RawClient.ConnectAsync(broker, "dead", keepAlive: 10, will: new WireWill("died", "dead"));
        await using var watcher = await RawClient.ConnectAsync(broker, "watcher");
        await dead.SubscribeAsync("to/dead");
        await watcher.SubscribeAsync("died");
        // Its socket is full, as that of a machine that has lost its network.
        for (var i = 0; i < 200; i++) await watcher.SendAsync(WirePacket.Publish("to/dead", new byte[64 * 1024], Qos.AtMostOnce, 0));
        await watcher.ExpectNothingAsync();
        broker.Advance(TimeSpan.FromSeconds(16));
        await watcher.ExpectPublishAsync("died", "dead");
        await using var again = await RawClient.ConnectAsync(broker, "dead");
        await again.ExpectNothingAsync();
    }

    [Fact]
    public async Task AcceptsAll_WhenMoreConnectAtOnceThanMayShakeHands()
    {
        const int Count = 300;
        await using var broker = await StartAsync(new() { ["Gateway:MaxHandshakes"] = "4" });
        // Four that never send CONNECT fill the room until their time is up.
        var idle = new RawClient[4];
        for (var i = 0; i < idle.Length; i++) idle[i] = await RawClient.OpenAsync(broker);
        var storm = Task.WhenAll(Enumerable.Range(0, Count).Select(i => RawClient.ConnectAsync(broker, $"storm-{i}")));
        foreach (var client in idle) client.Drop();
        foreach (var client in await storm)
        {
            await client.ExpectNothingAsync();
            await client.DisposeAsync();
        }
    }

    [Fact]
    public async Task ClosesFurtherConnections_WhenMaxConnectionsAreOpen()
    {
        await using var broker = await StartAsync(new() { ["Gateway:MaxConnections"] = "3" });
        var clients = new List<RawClient>();
        for (var i = 0; i < 3; i++) clients.Add(await RawClient.ConnectAsync(broker, $"c{i}"));
        await using var further = await RawClient.OpenAsync(broker);
        await further.ExpectClosedAsync();
        foreach (var client in clients) await client.ExpectNothingAsync();
        await clients[0].DisconnectAsync();
        await using var next = await RawClient.ConnectAsync(broker, "next");
        foreach (var client in clients) await client.DisposeAsync();
    }

    [Theory]
    [InlineData("4096")]
    [InlineData("40000")]
    [InlineData("268435456")]
    public async Task Works_AtAnyHighWatermark(string bytes)
    {
        await using var broker = await StartAsync(new() { ["Mqtt:HighWatermark"] = bytes });
        await using var client = await RawClient.ConnectAsync(broker, "c");
        await client.SubscribeAsync("w", Qos.AtLeastOnce);
        for (var i = 0; i < 20; i++) await client.SendAsync(WirePacket.Publish("w", new byte[20_000], Qos.AtMostOnce, 0));
        for (var i = 0; i < 20; i++) Assert.Equal(20_000, (await client.ExpectAsync(PacketType.Publish)).Payload.Length);
    }

    private static int Number(ServerPacket packet) => packet.Payload[0] | (packet.Payload[1] << 8);

    protected virtual Task<BrokerHost> StartAsync(Dictionary<string, string?> settings) => BrokerHost.StartAsync(settings);
}
