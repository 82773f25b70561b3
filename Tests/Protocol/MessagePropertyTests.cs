using Broker.Gateway.Mqtt.Codec.V5;
using Broker.Gateway.Mqtt.Packets;
using Broker.Grains.Interfaces.Messages;
using Broker.Tests.Protocol.Harness;
using Xunit;

namespace Broker.Tests.Protocol;

/// <summary>What 5.0 lets a message carry besides topic and payload.</summary>
public class MessagePropertyTests(BrokerHost broker) : IClassFixture<BrokerHost>
{
    [Fact]
    [Clause("MQTT-3.3.2-4")]
    [Clause("MQTT-3.3.2-15")]
    [Clause("MQTT-3.3.2-16")]
    [Clause("MQTT-3.3.2-17")]
    [Clause("MQTT-3.3.2-18")]
    [Clause("MQTT-3.3.2-20")]
    public async Task CarriesAllProperties_WhenForwarded()
    {
        await using var subscriber = await RawClient.ConnectAsync(broker, "mp-all-s");
        await using var publisher = await RawClient.ConnectAsync(broker, "mp-all-p");
        await subscriber.SubscribeAsync("mp/all", Qos.AtLeastOnce);
        await publisher.PublishAsync("mp/all", "text", properties: new WireProperties()
            .Add(PropertyId.UserProperty, ("b", "1"))
            .Add(PropertyId.PayloadFormatIndicator, true)
            .Add(PropertyId.ContentType, "text/plain; ü")
            .Add(PropertyId.UserProperty, ("a", "2"))
            .Add(PropertyId.ResponseTopic, "mp/answer")
            .Add(PropertyId.CorrelationData, new byte[] { 0, 1, 255 })
            .Add(PropertyId.UserProperty, ("b", "1")));
        var got = await subscriber.ExpectPublishAsync("mp/all", "text", Qos.AtLeastOnce);
        Assert.Equal((byte)1, got.Properties[PropertyId.PayloadFormatIndicator]);
        Assert.Equal("text/plain; ü", got.Properties[PropertyId.ContentType]);
        Assert.Equal("mp/answer", got.Properties[PropertyId.ResponseTopic]);
        Assert.Equal([0, 1, 255], (byte[])got.Properties[PropertyId.CorrelationData]!);
        Assert.Equal([("b", "1"), ("a", "2"), ("b", "1")], got.Properties.Every<(string, string)>(PropertyId.UserProperty));
    }

    [Fact]
    public async Task CarriesAllProperties_WhenRetainedAndQueued()
    {
        await using var publisher = await RawClient.ConnectAsync(broker, "mp-keep-p");
        await LeaveSubscribedAsync(await RawClient.ConnectAsync(broker, "mp-keep-q", expiry: 100), s => s.SubscribeAsync("mp/keep", Qos.AtLeastOnce, identifier: 7));
        await publisher.PublishAsync("mp/keep", "x", retain: true, properties: new WireProperties()
            .Add(PropertyId.UserProperty, ("k", "v")).Add(PropertyId.CorrelationData, new byte[] { 9 }).Add(PropertyId.ContentType, ""));
        await using var later = await RawClient.ConnectAsync(broker, "mp-keep-r");
        await later.SubscribeAsync("mp/keep", Qos.AtLeastOnce);
        await using var queued = await RawClient.ConnectAsync(broker, "mp-keep-q", cleanStart: false, expiry: 100);
        foreach (var (client, retain) in new[] { (later, true), (queued, false) })
        {
            var got = await client.ExpectPublishAsync("mp/keep", "x", Qos.AtLeastOnce);
            Assert.Equal(retain, got.Retain);
            Assert.Equal([("k", "v")], got.Properties.Every<(string, string)>(PropertyId.UserProperty));
            Assert.Equal([9], (byte[])got.Properties[PropertyId.CorrelationData]!);
            Assert.Equal("", got.Properties[PropertyId.ContentType]);
            Assert.Equal(retain ? [] : [7], got.Properties.Every<int>(PropertyId.SubscriptionIdentifier));
        }
    }

    [Fact]
    [Clause("MQTT-3.3.4-3")]
    [Clause("MQTT-3.3.4-4")]
    public async Task CarriesEveryIdentifierOnce_WhenSubscriptionsOverlap()
    {
        await using var subscriber = await RawClient.ConnectAsync(broker, "mp-ids");
        await subscriber.SubscribeAsync("mp/ids/+", Qos.AtLeastOnce, identifier: 268_435_455);
        await subscriber.SubscribeAsync("mp/ids/#", Qos.AtMostOnce, identifier: 2);
        await subscriber.SubscribeAsync("mp/ids/a");
        await subscriber.PublishAsync("mp/ids/a", "1", Qos.AtMostOnce);
        var got = await subscriber.ExpectPublishAsync("mp/ids/a", "1");
        Assert.Equal([2, 268_435_455], got.Properties.Every<int>(PropertyId.SubscriptionIdentifier).Order());
        await subscriber.SubscribeAsync("mp/ids/#", identifier: 5); // replaces
        await subscriber.SendAsync(WirePacket.Publish("mp/ids/b", "2"));
        got = await subscriber.ExpectPublishAsync("mp/ids/b", "2");
        Assert.Equal([5, 268_435_455], got.Properties.Every<int>(PropertyId.SubscriptionIdentifier).Order());
        await subscriber.ExpectNothingAsync();
    }

    [Theory]
    [InlineData(Qos.AtLeastOnce)]
    [InlineData(Qos.ExactlyOnce)]
    public async Task AnswersPayloadFormatInvalid_WhenTextIsNotUtf8(Qos qos)
    {
        await using var client = await RawClient.ConnectAsync(broker, $"mp-utf8-{qos}");
        await client.SubscribeAsync("mp/utf8");
        var bad = new WireProperties().Add(PropertyId.PayloadFormatIndicator, true);
        await client.SendAsync(WirePacket.Publish("mp/utf8", [0xC3, 0x28], qos, 1, properties: bad));
        Assert.Equal(ReasonCode.PayloadFormatInvalid, (await client.ExpectAsync(qos == Qos.AtLeastOnce ? PacketType.Puback : PacketType.Pubrec)).Code);
        await client.SendAsync(WirePacket.Publish("mp/utf8", [0xC3, 0x28], Qos.AtMostOnce, 0, properties: bad)); // nothing can be said
        await client.ExpectNothingAsync();
    }

    [Fact]
    [Clause("MQTT-3.3.2-6")]
    public async Task ReducesExpiry_WhenMessageWaited()
    {
        await using var broker = await StartAsync([]);
        await using var publisher = await RawClient.ConnectAsync(broker, "p");
        await LeaveSubscribedAsync(await RawClient.ConnectAsync(broker, "s", expiry: 1000), s => s.SubscribeAsync("e/t", Qos.AtLeastOnce));
        await publisher.PublishAsync("e/t", "r", retain: true, properties: new WireProperties().Add(PropertyId.MessageExpiryInterval, 100u));
        broker.Advance(TimeSpan.FromSeconds(40));
        await using var queued = await RawClient.ConnectAsync(broker, "s", cleanStart: false, expiry: 1000);
        await using var retained = await RawClient.ConnectAsync(broker, "r");
        await retained.SubscribeAsync("e/t", Qos.AtLeastOnce);
        foreach (var client in new[] { queued, retained })
        {
            var got = await client.ExpectPublishAsync("e/t", "r", Qos.AtLeastOnce);
            Assert.InRange((uint)got.Properties[PropertyId.MessageExpiryInterval]!, 50u, 60u);
        }
    }

    [Fact]
    [Clause("MQTT-3.3.2-5")]
    public async Task DropsMessage_WhenItExpiredInQueueOrStore()
    {
        await using var broker = await StartAsync([]);
        await using var publisher = await RawClient.ConnectAsync(broker, "p");
        await LeaveSubscribedAsync(await RawClient.ConnectAsync(broker, "s", expiry: 1000), s => s.SubscribeAsync("e/+", Qos.AtLeastOnce));
        var brief = new WireProperties().Add(PropertyId.MessageExpiryInterval, 5u);
        await publisher.PublishAsync("e/a", "gone", retain: true, properties: brief);
        await publisher.PublishAsync("e/a", "gone too", Qos.AtMostOnce, properties: brief);
        await publisher.PublishAsync("e/b", "stays", retain: true);
        broker.Advance(TimeSpan.FromSeconds(6));
        await using var queued = await RawClient.ConnectAsync(broker, "s", cleanStart: false, expiry: 1000);
        await queued.ExpectPublishAsync("e/b", "stays", Qos.AtLeastOnce);
        await queued.ExpectNothingAsync();
        await using var retained = await RawClient.ConnectAsync(broker, "r");
        await retained.SubscribeAsync("e/+");
        await retained.ExpectPublishAsync("e/b", "stays");
        await retained.ExpectNothingAsync();
    }

    [Fact]
    public async Task DropsMessage_WhenItExpiredBehindTheWindow()
    {
        await using var broker = await StartAsync([]);
        await using var publisher = await RawClient.ConnectAsync(broker, "p");
        await using var subscriber = await RawClient.ConnectAsync(broker, "s", properties: new WireProperties().Add(PropertyId.ReceiveMaximum, (ushort)1));
        await subscriber.SubscribeAsync("e/w", Qos.AtLeastOnce);
        await publisher.PublishAsync("e/w", "1");
        await publisher.PublishAsync("e/w", "2", properties: new WireProperties().Add(PropertyId.MessageExpiryInterval, 5u));
        await publisher.PublishAsync("e/w", "3");
        var first = await subscriber.ExpectPublishAsync("e/w", "1", Qos.AtLeastOnce);
        await subscriber.ExpectNothingAsync();
        broker.Advance(TimeSpan.FromSeconds(6));
        await subscriber.SendAsync(WirePacket.Puback(first.Id));
        await subscriber.ExpectPublishAsync("e/w", "3", Qos.AtLeastOnce);
    }

    [Fact]
    public async Task LosesProperties_WhenSubscriberIs311()
    {
        await using var subscriber = await RawClient.ConnectAsync(broker, "mp-311-s", level: 4);
        await using var publisher = await RawClient.ConnectAsync(broker, "mp-311-p");
        await subscriber.SubscribeAsync("mp/311");
        await publisher.PublishAsync("mp/311", "x", properties: new WireProperties().Add(PropertyId.UserProperty, ("a", "b")).Add(PropertyId.ContentType, "t"));
        await subscriber.ExpectPublishAsync("mp/311", "x");
    }

    /// <summary>Leaves a durable session behind, connection gone for good.</summary>
    private static async Task LeaveSubscribedAsync(RawClient client, Func<RawClient, Task> subscribe)
    {
        await subscribe(client);
        await client.DisconnectAsync();
        await client.DisposeAsync();
    }

    private Task<BrokerHost> StartAsync(Dictionary<string, string?> settings) => broker.StartOtherAsync(settings);
}
