using Broker.Gateway.Mqtt.Codec.V5;
using Broker.Gateway.Mqtt.Packets;
using Broker.Grains.Interfaces.Messages;
using Broker.Tests.Protocol.Harness;
using Xunit;

namespace Broker.Tests.Protocol;

/// <summary>PUBLISH from server to client.</summary>
public class OutboundQosTests(BrokerHost broker) : IClassFixture<BrokerHost>
{
    [Theory]
    [InlineData(4, null)]
    [InlineData(5, null)]
    [InlineData(5, 100u)]
    [Clause("MQTT-3.8.4-8")]
    [Clause("MQTT-4.3.1-1")]
    [Clause("MQTT-4.3.2-2")]
    [Clause("MQTT-4.3.3-2")]
    [Clause("MQTT-4.3.3-4")]
    [Clause("MQTT-2.2.1-5")]
    public async Task DeliversAtTheLowerQos_WhenPublishAndSubscriptionDiffer(int level, uint? expiry)
    {
        var name = $"lower/{level}/{expiry}";
        await using var client = await RawClient.ConnectAsync(broker, name, level, expiry: expiry);
        await using var publisher = await RawClient.ConnectAsync(broker, name + "p", level);
        for (var granted = Qos.AtMostOnce; granted <= Qos.ExactlyOnce; granted++)
        {
            await client.SubscribeAsync(name, granted);
            for (var sent = Qos.AtMostOnce; sent <= Qos.ExactlyOnce; sent++)
            {
                await publisher.PublishAsync(name, $"{granted} {sent}", sent);
                var packet = await client.ExpectPublishAsync(name, $"{granted} {sent}", granted < sent ? granted : sent);
                Assert.False(packet.Dup);
                if (packet.Qos == Qos.AtLeastOnce) await client.SendAsync(WirePacket.Puback(packet.Id));
                if (packet.Qos != Qos.ExactlyOnce) continue;
                await client.SendAsync(WirePacket.Pubrec(packet.Id));
                Assert.Equal(packet.Id, (await client.ExpectAsync(PacketType.Pubrel)).Id);
                await client.SendAsync(WirePacket.Pubcomp(packet.Id));
            }
        }

        await client.ExpectNothingAsync();
    }

    [Theory]
    [InlineData(null)]
    [InlineData(100u)]
    [Clause("MQTT-4.4.0-2")]
    public async Task CompletesTheDelivery_WhenPubrecHasAnError(uint? expiry)
    {
        var name = $"pubrec-error-{expiry}";
        var properties = new WireProperties().Add(PropertyId.ReceiveMaximum, (ushort)1);
        await using var client = await RawClient.ConnectAsync(broker, name, expiry: expiry, properties: properties);
        await client.SubscribeAsync(name, Qos.ExactlyOnce);
        await using var publisher = await RawClient.ConnectAsync(broker, name + "p");
        await publisher.PublishAsync(name, "1", Qos.ExactlyOnce);
        await publisher.PublishAsync(name, "2", Qos.ExactlyOnce);
        var first = await client.ExpectPublishAsync(name, "1", Qos.ExactlyOnce);
        await client.SendAsync(WirePacket.Pubrec(first.Id, ReasonCode.QuotaExceeded));
        await client.ExpectPublishAsync(name, "2", Qos.ExactlyOnce);
        await client.ExpectNothingAsync();
    }

    [Theory]
    [InlineData(null)]
    [InlineData(100u)]
    [Clause("MQTT-2.2.1-4")]
    [Clause("MQTT-4.9.0-1")]
    [Clause("MQTT-4.9.0-2")]
    [Clause("MQTT-4.3.2-1")]
    public async Task KeepsTheWindowAndUniqueIdentifiers_WhenNothingIsAcknowledged(uint? expiry)
    {
        var name = $"window-{expiry}";
        await using var client = await RawClient.ConnectAsync(broker, name, expiry: expiry);
        await client.SubscribeAsync(name, Qos.AtLeastOnce);
        await using var publisher = await RawClient.ConnectAsync(broker, name + "p");
        for (var i = 0; i < 40; i++) await publisher.PublishAsync(name, $"{i}");
        var identifiers = new List<int>();
        for (var i = 0; i < 32; i++) identifiers.Add((await client.ExpectPublishAsync(name, $"{i}", Qos.AtLeastOnce)).Id);
        await client.ExpectNothingAsync();
        Assert.Equal(32, identifiers.Distinct().Count());
        await client.SendAsync([.. identifiers.Select(WirePacket.Puback)]);
        for (var i = 32; i < 40; i++) await client.ExpectPublishAsync(name, $"{i}", Qos.AtLeastOnce);
    }

    /// <summary>All identifiers are used up while three deliveries stay unacknowledged: theirs come again only when they are free.</summary>
    [Theory]
    [InlineData(null)]
    [InlineData(100u)]
    [Clause("MQTT-2.2.1-4")]
    [Clause("MQTT-4.3.2-1")]
    [Clause("MQTT-4.3.3-1")]
    public async Task NeverReusesAnIdentifierInFlight_WhenTheyWrapAround(uint? expiry)
    {
        const int Identifiers = 65_535, Batch = 500;
        var name = $"wrap-{expiry}";
        await using var client = await RawClient.ConnectAsync(broker, name, expiry: expiry);
        await client.SubscribeAsync(name, Qos.ExactlyOnce);
        await using var publisher = await RawClient.ConnectAsync(broker, name + "p");
        var held = new List<int>();
        for (var i = 0; i < 3; i++)
        {
            await publisher.PublishAsync(name, "held", (Qos)(1 + i % 2));
            held.Add((await client.ExpectAsync(PacketType.Publish)).Id);
        }

        var seen = held.ToHashSet();
        while (seen.Count < Identifiers)
        {
            var count = Math.Min(Batch, Identifiers - seen.Count);
            await publisher.SendAsync([.. Enumerable.Range(1, count).Select(id => WirePacket.Publish(name, "x", Qos.AtLeastOnce, (ushort)id))]);
            for (var i = 0; i < count; i++)
            {
                var packet = await client.ExpectPublishAsync(name, "x", Qos.AtLeastOnce);
                Assert.True(seen.Add(packet.Id), $"{packet.Id} came twice, the second time after {seen.Count} others");
                await client.SendAsync(WirePacket.Puback(packet.Id));
            }

            for (var id = 1; id <= count; id++) Assert.Equal(id, (await publisher.ExpectAsync(PacketType.Puback)).Id);
        }

        Assert.DoesNotContain(0, seen);
        for (var i = 0; i < 10; i++) await publisher.PublishAsync(name, $"{i}");
        var late = new List<ServerPacket>();
        await client.SendAsync(WirePacket.Pingreq);
        for (ServerPacket got; (got = await client.ReceiveAsync()).Type == PacketType.Publish;) late.Add(got);
        Assert.All(late, packet => Assert.DoesNotContain(packet.Id, held));
        await client.SendAsync(WirePacket.Puback(held[0]), WirePacket.Pubrec(held[1], ReasonCode.UnspecifiedError), WirePacket.Puback(held[2]));
        while (late.Count < 10) late.Add(await client.ExpectAsync(PacketType.Publish));
        Assert.Equal(Enumerable.Range(0, 10).Select(i => $"{i}"), late.Select(packet => packet.Text));
        Assert.Equal(10, late.Select(packet => packet.Id).Distinct().Count());
    }

    [Theory]
    [InlineData(null)]
    [InlineData(100u)]
    [Clause("MQTT-4.6.0-4")]
    public async Task ReleasesInTheOrderOfPubrec_WhenItIsNotThatOfPublish(uint? expiry)
    {
        var name = $"release-{expiry}";
        await using var client = await RawClient.ConnectAsync(broker, name, expiry: expiry);
        await client.SubscribeAsync(name, Qos.ExactlyOnce);
        await using var publisher = await RawClient.ConnectAsync(broker, name + "p");
        var identifiers = new List<int>();
        for (var i = 0; i < 4; i++)
        {
            await publisher.PublishAsync(name, $"{i}", Qos.ExactlyOnce);
            identifiers.Add((await client.ExpectPublishAsync(name, $"{i}", Qos.ExactlyOnce)).Id);
        }

        int[] order = [identifiers[2], identifiers[0], identifiers[3], identifiers[1]];
        await client.SendAsync([.. order.Select(id => WirePacket.Pubrec(id))]);
        foreach (var id in order) Assert.Equal((id, ReasonCode.Success), await client.ExpectAcknowledgementAsync(PacketType.Pubrel));
    }

    [Theory]
    [InlineData(4)]
    [InlineData(5)]
    public async Task RepeatsToV3Only_WhenUnacknowledgedForTheRetryInterval(int level)
    {
        var name = $"retry-{level}";
        await using var client = await RawClient.ConnectAsync(broker, name, level);
        await client.SubscribeAsync(name, Qos.ExactlyOnce);
        await using var publisher = await RawClient.ConnectAsync(broker, name + "p");
        await publisher.PublishAsync(name, "1", Qos.AtLeastOnce);
        await publisher.PublishAsync(name, "2", Qos.ExactlyOnce);
        var one = await client.ExpectPublishAsync(name, "1", Qos.AtLeastOnce);
        var two = await client.ExpectPublishAsync(name, "2", Qos.ExactlyOnce);
        await client.SendAsync(WirePacket.Pubrec(two.Id));
        await client.ExpectAsync(PacketType.Pubrel);
        broker.Advance(TimeSpan.FromSeconds(31));
        if (level == 5)
        {
            await using var old = await RawClient.ConnectAsync(broker, name + "barrier", keepAlive: 1);
            broker.Advance(TimeSpan.FromSeconds(31));
            await old.ExpectDisconnectAsync(ReasonCode.KeepAliveTimeout);
            await client.ExpectNothingAsync(); // [MQTT-4.4.0-1]
            return;
        }

        var again = await client.ExpectPublishAsync(name, "1", Qos.AtLeastOnce);
        Assert.Equal((one.Id, true), (again.Id, again.Dup));
        Assert.Equal(two.Id, (await client.ExpectAsync(PacketType.Pubrel)).Id);
    }

    [Fact]
    [Clause("MQTT-3.3.2-4")]
    [Clause("MQTT-3.3.2-17")]
    [Clause("MQTT-3.3.2-18")]
    [Clause("MQTT-3.3.2-15")]
    [Clause("MQTT-3.3.2-16")]
    [Clause("MQTT-3.3.2-20")]
    public async Task ForwardsPropertiesUnaltered_WhenPublished()
    {
        await using var client = await RawClient.ConnectAsync(broker, "properties");
        await client.SubscribeAsync("properties", Qos.AtLeastOnce);
        var sent = new WireProperties().Add(PropertyId.PayloadFormatIndicator, (byte)1).Add(PropertyId.ContentType, "text/plain")
            .Add(PropertyId.ResponseTopic, "answers/here").Add(PropertyId.CorrelationData, new byte[] { 1, 2, 0, 255 })
            .Add(PropertyId.UserProperty, ("b", "2")).Add(PropertyId.UserProperty, ("a", "1")).Add(PropertyId.UserProperty, ("b", "2"));
        await using var publisher = await RawClient.ConnectAsync(broker, "properties-publisher");
        await publisher.PublishAsync("properties", "text", properties: sent);
        var got = (await client.ExpectPublishAsync("properties", "text", Qos.AtLeastOnce)).Properties;
        Assert.Equal((byte)1, got[PropertyId.PayloadFormatIndicator]);
        Assert.Equal("text/plain", got[PropertyId.ContentType]);
        Assert.Equal("answers/here", got[PropertyId.ResponseTopic]);
        Assert.Equal([1, 2, 0, 255], Assert.IsType<byte[]>(got[PropertyId.CorrelationData]));
        Assert.Equal([("b", "2"), ("a", "1"), ("b", "2")], got.Every<(string, string)>(PropertyId.UserProperty));
    }

    [Fact]
    [Clause("MQTT-3.3.2-5")]
    [Clause("MQTT-3.3.2-6")]
    public async Task LowersOrDropsByMessageExpiry_WhenMessageHasWaited()
    {
        await using (var away = await RawClient.ConnectAsync(broker, "expiry", expiry: 10_000))
        {
            await away.SubscribeAsync("expiry/#", Qos.AtLeastOnce);
            await away.DisconnectAsync();
        }

        await using var publisher = await RawClient.ConnectAsync(broker, "expiry-publisher");
        await publisher.PublishAsync("expiry/long", "long", properties: new WireProperties().Add(PropertyId.MessageExpiryInterval, 1000u));
        await publisher.PublishAsync("expiry/short", "short", properties: new WireProperties().Add(PropertyId.MessageExpiryInterval, 10u));
        broker.Advance(TimeSpan.FromSeconds(400));
        await using var client = await RawClient.ConnectAsync(broker, "expiry", cleanStart: false, expiry: 10_000);
        var left = (uint)(await client.ExpectPublishAsync("expiry/long", "long", Qos.AtLeastOnce)).Properties[PropertyId.MessageExpiryInterval]!;
        Assert.InRange(left, 590u, 600u);
        await client.ExpectNothingAsync();
    }

    [Fact]
    [Clause("MQTT-3.1.2-26")]
    [Clause("MQTT-3.3.2-8")]
    public async Task UsesTopicAliasesWithinTheMaximum_WhenClientTakesThem()
    {
        await using var client = await RawClient.ConnectAsync(broker, "aliases", properties: new WireProperties().Add(PropertyId.TopicAliasMaximum, (ushort)2));
        await client.SubscribeAsync("aliases/#");
        await using var publisher = await RawClient.ConnectAsync(broker, "aliases-publisher");
        var known = new Dictionary<ushort, string>();
        for (var i = 0; i < 12; i++)
        {
            await publisher.PublishAsync($"aliases/{i % 4}", $"{i}");
            var packet = await client.ExpectAsync(PacketType.Publish);
            var alias = packet.Properties[PropertyId.TopicAlias] as ushort?;
            Assert.True(alias is null or 1 or 2, $"alias {alias}");
            if (alias is { } number && packet.Topic.Length > 0) known[number] = packet.Topic;
            Assert.Equal($"aliases/{i % 4}", packet.Topic.Length > 0 ? packet.Topic : known[alias!.Value]);
        }

        Assert.NotEmpty(known);
    }
}
