using Broker.Gateway.Mqtt.Codec.V5;
using Broker.Grains.Interfaces.Messages;
using Broker.Tests.Protocol.Harness;
using Xunit;

namespace Broker.Tests.Protocol;

public class WillTests(BrokerHost broker) : IClassFixture<BrokerHost>
{
    public static TheoryData<string, int, bool> Deaths
    {
        get
        {
            var all = new TheoryData<string, int, bool>();
            foreach (var death in new[] { "socket", "keep alive", "protocol error", "takeover", "disconnect with will" })
            {
                foreach (var durable in new[] { false, true })
                {
                    if (death != "disconnect with will") all.Add(death, 4, durable);
                    all.Add(death, 5, durable);
                }
            }

            return all;
        }
    }

    [Theory]
    [MemberData(nameof(Deaths))]
    [Clause("MQTT-3.1.2-8")]
    [Clause("MQTT-3.14.4-3")]
    [Clause("MQTT-3.1.2-7")]
    public async Task PublishesOnce_WhenTheConnectionDies(string death, int level, bool durable)
    {
        var topic = $"will/{death}/{level}/{durable}";
        await using var watcher = await WatchAsync(topic);
        var client = await ConnectAsync(topic, level, durable, new WireWill(topic, "dead", Qos.AtLeastOnce), keepAlive: 1000);
        switch (death)
        {
            case "socket":
                client.Drop();
                break;
            case "keep alive":
                broker.Advance(TimeSpan.FromSeconds(1600));
                break;
            case "protocol error":
                await client.SendAsync(WirePacket.Connect("second", level));
                break;
            case "takeover":
                client = await ConnectAsync(topic, level, durable, will: null);
                break;
            default:
                await client.SendAsync(WirePacket.Disconnect(ReasonCode.DisconnectWithWill));
                break;
        }

        Assert.False((await watcher.ExpectPublishAsync(topic, "dead", Qos.AtLeastOnce)).Retain);
        await watcher.ExpectNothingAsync();
        await client.DisposeAsync();
    }

    [Theory]
    [InlineData(4, false)]
    [InlineData(4, true)]
    [InlineData(5, false)]
    [InlineData(5, true)]
    [Clause("MQTT-3.1.2-10")]
    [Clause("MQTT-3.14.4-3")]
    [Clause("3.1.1 MQTT-3.14.4-3")]
    public async Task IsDiscarded_WhenTheClientDisconnectsNormally(int level, bool durable)
    {
        var topic = $"normal/{level}/{durable}";
        await using var watcher = await WatchAsync(topic);
        var client = await ConnectAsync(topic, level, durable, new WireWill(topic, "dead"));
        await client.DisconnectAsync();
        // Nor does it come back with the session.
        client = await ConnectAsync(topic, level, durable, will: null);
        client.Drop();
        await (await ConnectAsync(topic, level, durable, will: null)).DisconnectAsync();
        await watcher.ExpectNothingAsync();
    }

    [Fact]
    [Clause("MQTT-3.1.3-9")]
    public async Task IsNotPublished_WhenTheClientReturnsWithinTheDelay()
    {
        await using var watcher = await WatchAsync("delay/back");
        var client = await ConnectAsync("delay/back", 5, durable: true, Delayed("delay/back", 100));
        client.Drop();
        await using var back = await ConnectAsync("delay/back", 5, durable: true, will: null);
        broker.Advance(TimeSpan.FromSeconds(200));
        await back.DisconnectAsync();
        await watcher.ExpectNothingAsync();
    }

    [Fact]
    public async Task IsPublishedAfterTheDelay_WhenTheClientStaysAway()
    {
        await using var watcher = await WatchAsync("delay/away");
        var client = await ConnectAsync("delay/away", 5, durable: true, Delayed("delay/away", 100));
        await client.DisconnectAsync(ReasonCode.DisconnectWithWill);
        await watcher.ExpectNothingAsync();
        broker.Advance(TimeSpan.FromSeconds(101));
        await watcher.ExpectPublishAsync("delay/away", "dead");
        // Once only, and the session is still there.
        await using var back = await ConnectAsync("delay/away", 5, durable: true, will: null);
        Assert.True(back.Connack.SessionPresent);
        await back.DisconnectAsync();
        await watcher.ExpectNothingAsync();
    }

    [Fact]
    public async Task IsPublishedAtOnce_WhenTheSessionEndsBeforeTheDelay()
    {
        await using var watcher = await WatchAsync("delay/end/+");
        var transient = await ConnectAsync("delay/end/1", 5, durable: false, Delayed("delay/end/1", 100));
        transient.Drop();
        await watcher.ExpectPublishAsync("delay/end/1", "dead");

        // Session expiry before the delay.
        var durable = await RawClient.ConnectAsync(broker, "delay/end/2", expiry: 50, will: Delayed("delay/end/2", 10_000));
        await durable.DisconnectAsync(ReasonCode.DisconnectWithWill);
        broker.Advance(TimeSpan.FromSeconds(51));
        await watcher.ExpectPublishAsync("delay/end/2", "dead");

        // A clean start ends the session too.
        durable = await RawClient.ConnectAsync(broker, "delay/end/3", expiry: 50, will: Delayed("delay/end/3", 10_000));
        await durable.DisconnectAsync(ReasonCode.DisconnectWithWill);
        await using var clean = await RawClient.ConnectAsync(broker, "delay/end/3", expiry: 50);
        await watcher.ExpectPublishAsync("delay/end/3", "dead");

        // So does DISCONNECT with expiry 0.
        durable = await RawClient.ConnectAsync(broker, "delay/end/4", expiry: 50, will: Delayed("delay/end/4", 10_000));
        await durable.DisconnectAsync(ReasonCode.DisconnectWithWill, new WireProperties().Add(PropertyId.SessionExpiryInterval, 0u));
        await watcher.ExpectPublishAsync("delay/end/4", "dead");
        await watcher.ExpectNothingAsync();
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    [Clause("MQTT-3.1.3-10")]
    public async Task CarriesItsProperties_WhenPublished(bool durable)
    {
        var topic = $"properties/{durable}";
        await using var watcher = await WatchAsync(topic);
        var properties = new WireProperties().Add(PropertyId.PayloadFormatIndicator, (byte)1).Add(PropertyId.MessageExpiryInterval, 60u)
            .Add(PropertyId.ContentType, "text").Add(PropertyId.ResponseTopic, "r").Add(PropertyId.CorrelationData, new byte[] { 7 })
            .Add(PropertyId.UserProperty, ("a", "1")).Add(PropertyId.UserProperty, ("a", "2"));
        var client = await ConnectAsync(topic, 5, durable, new WireWill(topic, "dead", Qos.AtLeastOnce, properties: properties));
        client.Drop();
        var got = (await watcher.ExpectPublishAsync(topic, "dead", Qos.AtLeastOnce)).Properties;
        Assert.Equal((byte)1, got[PropertyId.PayloadFormatIndicator]);
        Assert.InRange((uint)got[PropertyId.MessageExpiryInterval]!, 58u, 60u);
        Assert.Equal("text", got[PropertyId.ContentType]);
        Assert.Equal("r", got[PropertyId.ResponseTopic]);
        Assert.Equal([7], Assert.IsType<byte[]>(got[PropertyId.CorrelationData]));
        Assert.Equal([("a", "1"), ("a", "2")], got.Every<(string, string)>(PropertyId.UserProperty));
        Assert.Null(got[PropertyId.WillDelayInterval]);
    }

    [Theory]
    [InlineData(4, false)]
    [InlineData(5, true)]
    [Clause("MQTT-3.1.2-14")]
    [Clause("MQTT-3.1.2-15")]
    public async Task IsRetainedOrNot_WhenItsFlagSaysSo(int level, bool durable)
    {
        foreach (var retain in new[] { true, false })
        {
            var topic = $"retained/{level}/{retain}";
            await using var watcher = await WatchAsync(topic);
            var client = await ConnectAsync(topic, level, durable, new WireWill(topic, "dead", retain: retain));
            client.Drop();
            await watcher.ExpectPublishAsync(topic, "dead");
            await using var late = await WatchAsync(topic);
            if (retain) Assert.True((await late.ExpectPublishAsync(topic, "dead")).Retain);
            else await late.ExpectNothingAsync();
        }
    }

    [Fact]
    public async Task IsQueued_WhenTheSubscriberIsAway()
    {
        var watcher = await RawClient.ConnectAsync(broker, "absent", expiry: 1000);
        await watcher.SubscribeAsync("absent/will", Qos.ExactlyOnce);
        await watcher.DisconnectAsync();
        var client = await ConnectAsync("absent-dying", 5, durable: false, new WireWill("absent/will", "dead", Qos.ExactlyOnce));
        await client.DisconnectAsync(ReasonCode.DisconnectWithWill);
        await using var back = await RawClient.ConnectAsync(broker, "absent", cleanStart: false, expiry: 1000);
        await back.ExpectPublishAsync("absent/will", "dead", Qos.ExactlyOnce);
    }

    [Fact]
    public async Task IsReplaced_WhenTheClientTakesOverWithAnother()
    {
        await using var watcher = await WatchAsync("replaced");
        var first = await ConnectAsync("replacing", 5, durable: true, Delayed("replaced", 100));
        var second = await ConnectAsync("replacing", 5, durable: true, new WireWill("replaced", "second"));
        await first.ExpectDisconnectAsync(ReasonCode.SessionTakenOver);
        second.Drop();
        await watcher.ExpectPublishAsync("replaced", "second");
        await watcher.ExpectNothingAsync();
    }

    private static WireWill Delayed(string topic, uint seconds) =>
        new(topic, "dead", properties: new WireProperties().Add(PropertyId.WillDelayInterval, seconds));

    private async Task<RawClient> WatchAsync(string filter)
    {
        var watcher = await RawClient.ConnectAsync(broker, "");
        await watcher.SubscribeAsync(filter, Qos.ExactlyOnce);
        return watcher;
    }

    private Task<RawClient> ConnectAsync(string name, int level, bool durable, WireWill? will, int keepAlive = 0) =>
        RawClient.ConnectAsync(broker, name, level, cleanStart: !durable, expiry: durable && level == 5 ? 100_000 : null, keepAlive, will);
}
