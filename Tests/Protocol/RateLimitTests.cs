using System.Diagnostics;
using System.Net.Security;
using System.Net.Sockets;
using Broker.Gateway.Mqtt.Packets;
using Broker.Grains.Interfaces.Messages;
using Broker.Grains.Interfaces.Metrics;
using Broker.Tests.Protocol.Harness;
using Broker.Tests.Protocol.Transport;
using Xunit;

namespace Broker.Tests.Protocol;

/// <summary>Clients that send more than they may: they are slowed down, and nothing is lost.</summary>
[Collection(TimedCollection.Name)]
public sealed class RateLimitTests
{
    private const int Rate = 100;
    private const int Burst = 10;

    [Theory]
    [InlineData(Qos.AtMostOnce, 4)]
    [InlineData(Qos.AtMostOnce, 5)]
    [InlineData(Qos.AtLeastOnce, 5)]
    public async Task MessagesComeAtTheRate_WhenThePublisherIsFaster(Qos qos, int level)
    {
        await using var broker = await StartAsync(("Mqtt:MessageRate", "100/s"), ("Mqtt:MessageBurst", "10"));
        var paused = BrokerCounters.Read(Metric.ClientRateLimited);
        await using var subscriber = await RawClient.ConnectAsync(broker, "subscriber");
        await subscriber.SubscribeAsync("t", qos);
        await using var publisher = await RawClient.ConnectAsync(broker, "publisher", level);
        var packets = Enumerable.Range(0, 260).Select(i => WirePacket.Publish("t", $"{i}", qos, (ushort)(i + 1), level: level)).ToArray();
        await publisher.SendAsync(packets);
        await ExpectRateAsync(packets.Length, async i =>
        {
            var got = await subscriber.ExpectPublishAsync("t", $"{i}", qos);
            if (qos == Qos.AtLeastOnce) await subscriber.SendAsync(WirePacket.Puback(got.Id));
        });
        Assert.True(BrokerCounters.Read(Metric.ClientRateLimited) > paused);
    }

    [Fact]
    public async Task ExactlyOnceIsKept_WhenThePublisherIsFaster()
    {
        await using var broker = await StartAsync(("Mqtt:MessageRate", "100/s"), ("Mqtt:MessageBurst", "10"));
        await using var subscriber = await RawClient.ConnectAsync(broker, "subscriber");
        await subscriber.SubscribeAsync("t");
        await using var publisher = await RawClient.ConnectAsync(broker, "publisher", expiry: 60);
        const int Count = 150;
        await publisher.SendAsync([.. Enumerable.Range(1, Count).Select(i => WirePacket.Publish("t", $"{i}", Qos.ExactlyOnce, (ushort)i))]);
        for (var i = 1; i <= Count; i++) Assert.Equal((i, ReasonCode.Success), await publisher.ExpectAcknowledgementAsync(PacketType.Pubrec));
        await publisher.SendAsync([.. Enumerable.Range(1, Count).Select(i => WirePacket.Pubrel(i))]);
        for (var i = 1; i <= Count; i++) Assert.Equal((i, ReasonCode.Success), await publisher.ExpectAcknowledgementAsync(PacketType.Pubcomp));
        for (var i = 1; i <= Count; i++) await subscriber.ExpectPublishAsync("t", $"{i}");
        await subscriber.ExpectNothingAsync();
    }

    [Fact]
    public async Task BytesComeAtTheRate_WhenThePublisherIsFaster()
    {
        await using var broker = await StartAsync(("Mqtt:ByteRate", "100KB/s"), ("Mqtt:ByteBurst", "10240"));
        await using var subscriber = await RawClient.ConnectAsync(broker, "subscriber");
        await subscriber.SubscribeAsync("t");
        await using var publisher = await RawClient.ConnectAsync(broker, "publisher");
        // With their heads they are 1 KiB each. A read may be 64 KiB, so that they come in heaps.
        var packet = WirePacket.Publish("t", new string('x', 1024 - 7));
        Assert.Equal(1024, packet.Length);
        var watch = Stopwatch.StartNew();
        await publisher.SendAsync([.. Enumerable.Repeat(packet, 300)]);
        for (var i = 0; i < 300; i++) await subscriber.ExpectAsync(PacketType.Publish);
        // The last heap comes as soon as the one before it is paid.
        Assert.InRange(watch.Elapsed.TotalSeconds, (300 - 10 - 64) / 100.0 * 0.9, 300 / 100.0 * 1.2);
    }

    [Theory]
    [InlineData(4)]
    [InlineData(5)]
    public async Task ClientStays_WhenItIsNotReadForLongerThanItsKeepAlive(int level)
    {
        await using var broker = await StartAsync(("Mqtt:MessageRate", "1/2s"));
        await using var silent = await RawClient.ConnectAsync(broker, "silent", level, keepAlive: 1);
        await using var publisher = await RawClient.ConnectAsync(broker, "publisher", level, keepAlive: 1);
        // The second is taken two seconds behind the first, the third and the ping two later; more than one and a half have passed in silence each time.
        await publisher.SendAsync([.. Enumerable.Range(1, 3).Select(i => WirePacket.Publish("t", $"{i}", Qos.AtLeastOnce, (ushort)i, level: level)), WirePacket.Pingreq]);
        for (var i = 1; i <= 3; i++) Assert.Equal(i, (await publisher.ExpectAsync(PacketType.Puback)).Id);
        await silent.ExpectDisconnectAsync(ReasonCode.KeepAliveTimeout);
        await publisher.ExpectAsync(PacketType.Pingresp);
        await publisher.ExpectNothingAsync();
    }

    [Fact]
    public async Task OnlyTheFasterClientWaits()
    {
        await using var broker = await StartAsync(("Mqtt:MessageRate", "1/h"));
        await using var fast = await RawClient.ConnectAsync(broker, "fast");
        await fast.SendAsync(WirePacket.Publish("t", "1", Qos.AtLeastOnce, 1), WirePacket.Publish("t", "2", Qos.AtLeastOnce, 2));
        await fast.ExpectAsync(PacketType.Puback);
        await using var slow = await RawClient.ConnectAsync(broker, "slow");
        await slow.SubscribeAsync("t");
        await slow.SendAsync(WirePacket.Publish("t", "x", Qos.AtLeastOnce, 1));
        await slow.ExpectPublishAsync("t", "x");
        // An hour later it is its turn, and the broker has not forgotten.
        broker.Advance(TimeSpan.FromHours(1));
        Assert.Equal(2, (await fast.ExpectAsync(PacketType.Puback)).Id);
    }

    [Theory]
    [InlineData("", "50/s", true)]
    [InlineData("50/s", null, true)]
    [InlineData("1/h", "0", false)]
    public async Task ListenersRateCounts_WhenItHasOne(string general, string? own, bool limited)
    {
        await using var broker = await StartAsync(("Mqtt:MessageRate", general), ("Listeners:a:Port", "0"), ("Listeners:a:MessageRate", own), ("Listeners:a:MessageBurst", "5"));
        var paused = BrokerCounters.Read(Metric.ClientRateLimited);
        await using var publisher = await RawClient.ConnectAsync(broker, "publisher");
        for (ushort i = 1; i <= 12; i++) await publisher.SendAsync(WirePacket.Publish("t", "x", Qos.AtLeastOnce, i));
        for (ushort i = 1; i <= 12; i++) await publisher.ExpectAsync(PacketType.Puback);
        Assert.Equal(limited, BrokerCounters.Read(Metric.ClientRateLimited) > paused);
    }

    [Fact]
    public async Task WebSocketIsSlowedDownToo()
    {
        await using var broker = await StartAsync(
            ("Listeners:plain:Port", "0"), ("Listeners:ws:Kind", "ws"), ("Listeners:ws:Port", "0"), ("Listeners:ws:MessageRate", "100/s"), ("Listeners:ws:MessageBurst", "10"));
        await using var subscriber = await RawClient.ConnectAsync(broker, "subscriber");
        await subscriber.SubscribeAsync("t");
        await using var publisher = await WebSocketPeer.OpenAsync(broker.PortOf("ws"));
        await publisher.SendAsync(WebSocketPeer.Frame(0x82, WirePacket.Connect("publisher")));
        await publisher.ReceiveAsync();
        await publisher.SendAsync([.. Enumerable.Range(0, 210).SelectMany(i => WebSocketPeer.Frame(0x82, WirePacket.Publish("t", $"{i}")))]);
        await ExpectRateAsync(210, i => subscriber.ExpectPublishAsync("t", $"{i}"));
    }

    [Fact]
    public async Task TlsIsSlowedDownToo()
    {
        using var certificates = new TestCertificates();
        certificates.Sign("server", "CN=server", "localhost");
        var settings = certificates.Listener();
        foreach (var (key, value) in new[] { ("MessageRate", "100/s"), ("MessageBurst", "10") }) settings[$"Listeners:tls:{key}"] = value;
        settings["Listeners:a:Port"] = "0";
        await using var broker = await BrokerHost.StartAsync(settings);
        await using var subscriber = await RawClient.ConnectAsync(broker, "subscriber");
        await subscriber.SubscribeAsync("t");
        using var socket = new TcpClient();
        await socket.ConnectAsync("127.0.0.1", broker.PortOf("tls"));
        await using var tls = new SslStream(socket.GetStream(), false, (_, certificate, _, _) => certificate?.Subject == "CN=server");
        await tls.AuthenticateAsClientAsync("localhost");
        await tls.WriteAsync(WirePacket.Connect("publisher"));
        await tls.WriteAsync(Enumerable.Range(0, 210).SelectMany(i => WirePacket.Publish("t", $"{i}")).ToArray());
        await ExpectRateAsync(210, i => subscriber.ExpectPublishAsync("t", $"{i}"));
    }

    /// <summary>Counts what arrives, and looks at the clock when the first beyond the burst has arrived and when the last has.</summary>
    private static async Task ExpectRateAsync(int count, Func<int, Task> receive)
    {
        var watch = Stopwatch.StartNew();
        for (var i = 0; i < count; i++)
        {
            await receive(i);
            if (i == Burst) watch.Restart();
        }

        Assert.InRange((count - 1 - Burst) / watch.Elapsed.TotalSeconds, Rate * 0.9, Rate * 1.1);
    }

    private static Task<BrokerHost> StartAsync(params (string Key, string? Value)[] settings) => BrokerHost.StartAsync(settings.ToDictionary(one => one.Key, one => one.Value));
}
