using Broker.Gateway.Mqtt.Codec.V5;
using Broker.Gateway.Mqtt.Packets;
using Broker.Grains.Interfaces.Messages;
using Broker.Tests.Protocol.Harness;
using Xunit;

namespace Broker.Tests.Protocol;

/// <summary>PUBLISH from client to server.</summary>
public class InboundQosTests(BrokerHost broker) : IClassFixture<BrokerHost>
{
    [Theory]
    [InlineData(3)]
    [InlineData(4)]
    [InlineData(5)]
    [Clause("MQTT-4.3.2-4")]
    [Clause("MQTT-4.3.3-8")]
    [Clause("MQTT-4.3.3-11")]
    [Clause("MQTT-3.3.4-1")]
    [Clause("MQTT-2.2.1-5")]
    [Clause("MQTT-2.2.1-2")]
    public async Task AnswersEachQosWithItsOwn_WhenPublishComes(int level)
    {
        await using var client = await RawClient.ConnectAsync(broker, $"answers-{level}", level);
        await client.SubscribeAsync($"answers/{level}");
        await client.SendAsync(
            WirePacket.Publish($"answers/{level}", "0", level: level), WirePacket.Publish($"answers/{level}", "1", Qos.AtLeastOnce, 11, level: level),
            WirePacket.Publish($"answers/{level}", "2", Qos.ExactlyOnce, 12, level: level));
        var seen = new List<string>();
        for (var i = 0; i < 5; i++)
        {
            var packet = await client.ReceiveAsync();
            seen.Add(packet.Type == PacketType.Publish ? packet.Text : $"{packet.Type} {packet.Id} {packet.Code}");
        }

        Assert.Equal(["0", "1", "2", "Puback 11 Success", "Pubrec 12 Success"], seen.Order(StringComparer.Ordinal));
        await client.SendAsync(WirePacket.Pubrel(12));
        Assert.Equal(12, (await client.ExpectAsync(PacketType.Pubcomp)).Id);
    }

    [Fact]
    public async Task SaysNoMatchingSubscribers_WhenThereAreNone()
    {
        await using var client = await RawClient.ConnectAsync(broker, "nobody");
        await client.SendAsync(WirePacket.Publish("nobody/a", "1", Qos.AtLeastOnce, 1), WirePacket.Publish("nobody/a", "2", Qos.ExactlyOnce, 2));
        Assert.Equal(ReasonCode.NoMatchingSubscribers, (await client.ExpectAsync(PacketType.Puback)).Code);
        Assert.Equal(ReasonCode.NoMatchingSubscribers, (await client.ExpectAsync(PacketType.Pubrec)).Code);
        await client.SendAsync(WirePacket.Pubrel(2));
        Assert.Equal(ReasonCode.Success, (await client.ExpectAsync(PacketType.Pubcomp)).Code);
    }

    [Theory]
    [InlineData(4, null)]
    [InlineData(5, null)]
    [InlineData(5, 100u)]
    [Clause("MQTT-4.3.3-10")]
    [Clause("MQTT-4.3.3-12")]
    public async Task RoutesOnce_WhenQos2IsRepeatedBeforePubrel(int level, uint? expiry)
    {
        var topic = $"repeated/{level}/{expiry}";
        await using var subscriber = await RawClient.ConnectAsync(broker, topic + "s", level);
        await subscriber.SubscribeAsync(topic);
        await using var client = await RawClient.ConnectAsync(broker, topic, level, expiry: expiry);
        await client.SendAsync(WirePacket.Publish(topic, "one", Qos.ExactlyOnce, 5, level: level));
        Assert.Equal(5, (await client.ExpectAsync(PacketType.Pubrec)).Id);
        await client.SendAsync(WirePacket.Publish(topic, "one", Qos.ExactlyOnce, 5, dup: true, level: level));
        Assert.Equal(5, (await client.ExpectAsync(PacketType.Pubrec)).Id);
        // The DUP flag alone decides nothing: the identifier does.
        await client.SendAsync(WirePacket.Publish(topic, "one", Qos.ExactlyOnce, 5, level: level));
        Assert.Equal(5, (await client.ExpectAsync(PacketType.Pubrec)).Id);
        await client.SendAsync(WirePacket.Pubrel(5));
        Assert.Equal(5, (await client.ExpectAsync(PacketType.Pubcomp)).Id);
        await client.PublishAsync(topic, "two", Qos.ExactlyOnce);
        await client.SendAsync(WirePacket.Publish(topic, "three", Qos.ExactlyOnce, 5, dup: true, level: level));
        Assert.Equal(5, (await client.ExpectAsync(PacketType.Pubrec)).Id);
        foreach (var payload in new[] { "one", "two", "three" }) await subscriber.ExpectPublishAsync(topic, payload);
        await subscriber.ExpectNothingAsync();
    }

    [Fact]
    [Clause("MQTT-4.3.2-5")]
    [Clause("MQTT-3.3.1-3")]
    public async Task RoutesEveryTimeWithoutDup_WhenQos1IsRepeated()
    {
        await using var client = await RawClient.ConnectAsync(broker, "repeated-1");
        await client.SubscribeAsync("repeated-1");
        for (var i = 0; i < 2; i++) await client.SendAsync(WirePacket.Publish("repeated-1", "x", Qos.AtLeastOnce, 9, dup: i > 0));
        var published = 0;
        for (var i = 0; i < 4; i++)
        {
            var packet = await client.ReceiveAsync();
            if (packet.Type == PacketType.Publish) published++;
            Assert.False(packet.Dup);
        }

        Assert.Equal(2, published);
    }

    [Theory]
    [InlineData(null)]
    [InlineData(100u)]
    [Clause("MQTT-4.3.3-9")]
    public async Task TakesTheIdentifierAsNew_WhenItsFirstMessageWasRefused(uint? expiry)
    {
        var name = $"refused-{expiry}";
        await using var subscriber = await RawClient.ConnectAsync(broker, name + "s");
        await subscriber.SubscribeAsync(name);
        await using var client = await RawClient.ConnectAsync(broker, name, expiry: expiry);
        var tooDeep = string.Join('/', Enumerable.Repeat('a', 129));
        await client.SendAsync(WirePacket.Publish(tooDeep, "x", Qos.ExactlyOnce, 5), WirePacket.Publish(name, "y", Qos.ExactlyOnce, 5));
        Assert.Equal(ReasonCode.TopicNameInvalid, (await client.ExpectAsync(PacketType.Pubrec)).Code);
        Assert.Equal((5, ReasonCode.Success), await client.ExpectAcknowledgementAsync(PacketType.Pubrec));
        await client.SendAsync(WirePacket.Pubrel(5));
        Assert.Equal((5, ReasonCode.Success), await client.ExpectAcknowledgementAsync(PacketType.Pubcomp));
        await subscriber.ExpectPublishAsync(name, "y");
        await subscriber.ExpectNothingAsync();
    }

    [Theory]
    [InlineData(null)]
    [InlineData(100u)]
    [Clause("MQTT-4.3.3-13")]
    public async Task CompletesTheExchange_WhenTheMessageHasExpiredMeanwhile(uint? expiry)
    {
        var name = $"expired-{expiry}";
        await using (var away = await RawClient.ConnectAsync(broker, name + "s", expiry: 1000))
        {
            await away.SubscribeAsync(name, Qos.ExactlyOnce);
            await away.DisconnectAsync();
        }

        await using var client = await RawClient.ConnectAsync(broker, name, expiry: expiry);
        await client.SendAsync(WirePacket.Publish(name, "x", Qos.ExactlyOnce, 5, properties: new WireProperties().Add(PropertyId.MessageExpiryInterval, 1u)));
        Assert.Equal((5, ReasonCode.Success), await client.ExpectAcknowledgementAsync(PacketType.Pubrec));
        broker.Advance(TimeSpan.FromSeconds(10));
        await using var back = await RawClient.ConnectAsync(broker, name + "s", cleanStart: false, expiry: 1000);
        await back.ExpectNothingAsync();
        await client.SendAsync(WirePacket.Pubrel(5));
        Assert.Equal((5, ReasonCode.Success), await client.ExpectAcknowledgementAsync(PacketType.Pubcomp));
    }

    [Theory]
    [InlineData(4)]
    [InlineData(5)]
    [Clause("MQTT-4.3.3-11")]
    public async Task AnswersPubcomp_WhenPubrelIsUnknown(int level)
    {
        await using var client = await RawClient.ConnectAsync(broker, $"unknown-{level}", level);
        await client.SendAsync(WirePacket.Pubrel(77));
        var pubcomp = await client.ExpectAsync(PacketType.Pubcomp);
        Assert.Equal((77, level == 5 ? ReasonCode.PacketIdentifierNotFound : ReasonCode.Success), (pubcomp.Id, pubcomp.Code));
    }

    [Theory]
    [InlineData(4)]
    [InlineData(5)]
    public async Task AnswersPubrelOrNothing_WhenAcknowledgementsAreUnknown(int level)
    {
        await using var client = await RawClient.ConnectAsync(broker, $"unknown-acks-{level}", level);
        await client.SendAsync(WirePacket.Puback(70), WirePacket.Pubcomp(71));
        await client.ExpectNothingAsync();
        await client.SendAsync(WirePacket.Pubrec(72));
        var pubrel = await client.ExpectAsync(PacketType.Pubrel);
        Assert.Equal((72, level == 5 ? ReasonCode.PacketIdentifierNotFound : ReasonCode.Success), (pubrel.Id, pubrel.Code));
    }

    [Theory]
    [InlineData(4)]
    [InlineData(5)]
    [Clause("MQTT-4.6.0-2")]
    [Clause("MQTT-4.6.0-3")]
    public async Task AcknowledgesInOrderOfPublish_WhenSomeMustBeStoredFirst(int level)
    {
        await using (var durable = await RawClient.ConnectAsync(broker, $"order-durable-{level}", expiry: 100))
        {
            await durable.SubscribeAsync($"order/{level}/stored", Qos.ExactlyOnce);
            await durable.DisconnectAsync();
        }

        await using var client = await RawClient.ConnectAsync(broker, $"order-{level}", level);
        var packets = new List<byte[]>();
        for (ushort id = 1; id <= 60; id++)
        {
            packets.Add(WirePacket.Publish(id % 3 == 0 ? $"order/{level}/stored" : $"order/{level}/nobody", $"{id}", id % 2 == 0 ? Qos.AtLeastOnce : Qos.ExactlyOnce, id, level: level));
        }

        await client.SendAsync([.. packets]);
        for (var id = 1; id <= 60; id++)
        {
            Assert.Equal(id, (await client.ExpectAsync(id % 2 == 0 ? PacketType.Puback : PacketType.Pubrec)).Id);
        }

        await client.SendAsync([.. Enumerable.Range(0, 30).Select(at => WirePacket.Pubrel(at * 2 + 1))]);
        for (var at = 0; at < 30; at++) Assert.Equal(at * 2 + 1, (await client.ExpectAsync(PacketType.Pubcomp)).Id);
    }

    [Theory]
    [InlineData(4)]
    [InlineData(5)]
    [Clause("MQTT-3.3.1-4")]
    [Clause("MQTT-3.3.1-2")]
    [Clause("MQTT-3.3.2-2")]
    [Clause("MQTT-2.2.1-3")]
    [Clause("MQTT-4.7.0-1")]
    public async Task ClosesTheConnection_WhenPublishIsMalformed(int level)
    {
        (byte[] Packet, ReasonCode Code)[] wrong =
        [
            (WirePacket.Publish("a", "x", (Qos)3, 1, level: level), ReasonCode.MalformedPacket),
            (WirePacket.Raw(0x38, [.. WirePacket.Text("a"), .. level == 5 ? new byte[] { 0 } : []]), ReasonCode.MalformedPacket),
            (WirePacket.Publish("a/#", "x", level: level), ReasonCode.TopicNameInvalid),
            (WirePacket.Publish("a", "x", Qos.AtLeastOnce, 0, level: level), ReasonCode.ProtocolError),
            (WirePacket.Publish("", "x", level: level), level == 5 ? ReasonCode.ProtocolError : ReasonCode.TopicNameInvalid),
        ];
        foreach (var (packet, code) in wrong)
        {
            await using var client = await RawClient.ConnectAsync(broker, $"malformed-{level}", level);
            await client.SendAsync(packet);
            await client.ExpectDisconnectAsync(code);
        }
    }

    [Fact]
    [Clause("MQTT-3.3.4-6")]
    public async Task DisconnectsWithProtocolError_WhenPublishHasSubscriptionIdentifier()
    {
        await using var client = await RawClient.ConnectAsync(broker, "identifier");
        await client.SendAsync(WirePacket.Publish("a", "x", properties: new WireProperties().Add(PropertyId.SubscriptionIdentifier, 1)));
        var code = (await client.ExpectAsync(PacketType.Disconnect)).Code;
        Assert.True(code is ReasonCode.ProtocolError or ReasonCode.MalformedPacket, code.ToString());
    }
}
