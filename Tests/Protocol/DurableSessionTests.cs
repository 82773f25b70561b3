using Broker.Gateway.Mqtt.Packets;
using Broker.Grains.Interfaces.Messages;
using Broker.Tests.Protocol.Harness;
using Xunit;

namespace Broker.Tests.Protocol;

/// <summary>What a durable session keeps while its client is away, and what is sent again.</summary>
public class DurableSessionTests(BrokerHost broker) : IClassFixture<BrokerHost>
{
    [Theory]
    [InlineData(4)]
    [InlineData(5)]
    [Clause("MQTT-4.5.0-1")]
    [Clause("MQTT-4.6.0-6")]
    [Clause("MQTT-3.1.2-23")]
    [Clause("MQTT-4.6.0-5")]
    public async Task DeliversWhatCameMeanwhileInOrder_WhenTheClientReturns(int level)
    {
        var name = $"queued-{level}";
        await using (var client = await ConnectAsync(name, level))
        {
            await client.SubscribeAsync(name, Qos.ExactlyOnce);
            await client.DisconnectAsync();
        }

        await using var publisher = await RawClient.ConnectAsync(broker, name + "p", level);
        for (var i = 0; i < 60; i++) await publisher.PublishAsync(name, $"{i}", (Qos)(i % 3));
        await using var again = await ConnectAsync(name, level);
        var released = 0;
        for (var i = 0; i < 60 || released < 20;)
        {
            var packet = await again.ReceiveAsync($"PUBLISH {i} or PUBREL");
            if (packet.Type == PacketType.Pubrel)
            {
                released++;
                await again.SendAsync(WirePacket.Pubcomp(packet.Id));
                continue;
            }

            Assert.Equal((PacketType.Publish, $"{i}", (Qos)(i % 3), false), (packet.Type, packet.Text, packet.Qos, packet.Dup));
            if (packet.Qos == Qos.AtLeastOnce) await again.SendAsync(WirePacket.Puback(packet.Id));
            if (packet.Qos == Qos.ExactlyOnce) await again.SendAsync(WirePacket.Pubrec(packet.Id));
            i++;
        }

        await again.ExpectNothingAsync();
    }

    [Theory]
    [InlineData(3)]
    [InlineData(4)]
    [InlineData(5)]
    [Clause("MQTT-4.4.0-1")]
    [Clause("MQTT-4.6.0-1")]
    [Clause("MQTT-3.3.1-1")]
    [Clause("MQTT-4.3.2-3")]
    [Clause("MQTT-4.3.3-3")]
    [Clause("MQTT-4.3.3-5")]
    [Clause("MQTT-4.3.3-6")]
    public async Task SendsAgainInOriginalOrder_WhenUnacknowledgedAtTheEnd(int level)
    {
        var name = $"again-{level}";
        await using var publisher = await RawClient.ConnectAsync(broker, name + "p");
        var first = await ConnectAsync(name, level);
        await first.SubscribeAsync(name, Qos.ExactlyOnce);
        var identifiers = new List<int>();
        for (var i = 0; i < 6; i++)
        {
            var qos = i % 2 == 0 ? Qos.AtLeastOnce : Qos.ExactlyOnce;
            await publisher.PublishAsync(name, $"{i}", qos);
            identifiers.Add((await first.ExpectPublishAsync(name, $"{i}", qos)).Id);
        }

        // 0 is done, 1 is released, 3 is half way: its PUBREL was sent; 2, 4, 5 are open.
        await first.SendAsync(WirePacket.Puback(identifiers[0]), WirePacket.Pubrec(identifiers[3]));
        Assert.Equal(identifiers[3], (await first.ExpectAsync(PacketType.Pubrel)).Id);
        await first.ExpectNothingAsync();
        first.Drop();
        await using var second = await ConnectAsync(name, level);
        foreach (var i in new[] { 1, 2, 3, 4, 5 })
        {
            if (i == 3)
            {
                Assert.Equal(identifiers[3], (await second.ExpectAsync(PacketType.Pubrel)).Id);
                continue;
            }

            var packet = await second.ExpectPublishAsync(name, $"{i}", i % 2 == 0 ? Qos.AtLeastOnce : Qos.ExactlyOnce);
            Assert.Equal((identifiers[i], true), (packet.Id, packet.Dup));
        }

        await second.ExpectNothingAsync();
        await second.SendAsync(WirePacket.Pubcomp(identifiers[3]), WirePacket.Puback(identifiers[2]), WirePacket.Puback(identifiers[4]),
            WirePacket.Pubrec(identifiers[1]), WirePacket.Pubrec(identifiers[5]));
        await ExpectPubrelAsync(second, identifiers[1]);
        await ExpectPubrelAsync(second, identifiers[5]);
        await second.SendAsync(WirePacket.Pubcomp(identifiers[1]), WirePacket.Pubcomp(identifiers[5]));
        await second.DisconnectAsync();
        await using var third = await ConnectAsync(name, level);
        await third.ExpectNothingAsync();
    }

    [Fact]
    [Clause("MQTT-4.4.0-2")]
    public async Task NeverSendsAgain_WhenTheClientRefused()
    {
        await using var publisher = await RawClient.ConnectAsync(broker, "refuses-publisher");
        var first = await ConnectAsync("refuses", 5);
        await first.SubscribeAsync("refuses", Qos.ExactlyOnce);
        for (var i = 0; i < 3; i++) await publisher.PublishAsync("refuses", $"{i}", i == 0 ? Qos.AtLeastOnce : Qos.ExactlyOnce);
        var packets = new List<ServerPacket>();
        for (var i = 0; i < 3; i++) packets.Add(await first.ExpectAsync(PacketType.Publish));
        await first.SendAsync(
            WirePacket.Acknowledge(PacketType.Puback, packets[0].Id, ReasonCode.QuotaExceeded), WirePacket.Pubrec(packets[1].Id, ReasonCode.QuotaExceeded));
        await first.ExpectNothingAsync();
        first.Drop();
        await using var second = await ConnectAsync("refuses", 5);
        await second.ExpectPublishAsync("refuses", "2", Qos.ExactlyOnce);
        await second.ExpectNothingAsync();
    }

    [Theory]
    [InlineData(Qos.AtLeastOnce)]
    [InlineData(Qos.ExactlyOnce)]
    [Clause("MQTT-4.3.3-7")]
    public async Task SendsAgain_WhenTheMessageHasExpiredSinceItWasSent(Qos qos)
    {
        var name = $"outlived-{qos}";
        await using var publisher = await RawClient.ConnectAsync(broker, name + "p");
        var first = await ConnectAsync(name, 5);
        await first.SubscribeAsync(name, Qos.ExactlyOnce);
        await publisher.PublishAsync(name, "sent", qos, properties: new WireProperties().Add(Broker.Gateway.Mqtt.Codec.V5.PropertyId.MessageExpiryInterval, 5u));
        var sent = await first.ExpectPublishAsync(name, "sent", qos);
        first.Drop();
        broker.Advance(TimeSpan.FromSeconds(60));
        await using var second = await ConnectAsync(name, 5);
        var again = await second.ExpectPublishAsync(name, "sent", qos);
        Assert.Equal((sent.Id, true), (again.Id, again.Dup));
    }

    [Fact]
    [Clause("MQTT-3.3.4-9")]
    public async Task KeepsToTheNewReceiveMaximum_WhenItSendsAgain()
    {
        await using var publisher = await RawClient.ConnectAsync(broker, "smaller-publisher");
        var first = await ConnectAsync("smaller", 5);
        await first.SubscribeAsync("smaller", Qos.AtLeastOnce);
        for (var i = 0; i < 5; i++)
        {
            await publisher.PublishAsync("smaller", $"{i}");
            await first.ExpectPublishAsync("smaller", $"{i}", Qos.AtLeastOnce);
        }

        first.Drop();
        await using var second = await RawClient.ConnectAsync(broker, "smaller", cleanStart: false, expiry: 1000,
            properties: new WireProperties().Add(Broker.Gateway.Mqtt.Codec.V5.PropertyId.ReceiveMaximum, (ushort)2));
        await publisher.PublishAsync("smaller", "5");
        var one = await second.ExpectPublishAsync("smaller", "0", Qos.AtLeastOnce);
        await second.ExpectPublishAsync("smaller", "1", Qos.AtLeastOnce);
        await second.ExpectNothingAsync();
        await second.SendAsync(WirePacket.Puback(one.Id));
        for (var i = 2; i < 6; i++)
        {
            var packet = await second.ExpectPublishAsync("smaller", $"{i}", Qos.AtLeastOnce);
            Assert.Equal(i < 5, packet.Dup);
            await second.ExpectNothingAsync();
            await second.SendAsync(WirePacket.Puback(packet.Id));
        }
    }

    [Theory]
    [InlineData(4)]
    [InlineData(5)]
    [Clause("MQTT-4.3.3-10")]
    public async Task RoutesQos2Once_WhenThePublisherReturnsBeforePubrel(int level)
    {
        var name = $"half-{level}";
        await using var subscriber = await RawClient.ConnectAsync(broker, name + "s");
        await subscriber.SubscribeAsync(name);
        var first = await ConnectAsync(name + "p", level);
        await first.SendAsync(WirePacket.Publish(name, "once", Qos.ExactlyOnce, 5, level: level));
        await first.ExpectAsync(PacketType.Pubrec);
        first.Drop();
        await using var second = await ConnectAsync(name + "p", level);
        await second.SendAsync(WirePacket.Publish(name, "once", Qos.ExactlyOnce, 5, dup: true, level: level));
        await second.ExpectAsync(PacketType.Pubrec);
        await second.SendAsync(WirePacket.Pubrel(5));
        Assert.Equal(5, (await second.ExpectAsync(PacketType.Pubcomp)).Id);
        await subscriber.ExpectPublishAsync(name, "once");
        await subscriber.ExpectNothingAsync();
    }

    [Fact]
    public async Task KeepsTheNewest_WhenTheQueueIsFull()
    {
        await using var small = await StartAsync(new() { ["Mqtt:MaxQueueLength"] = "5", ["Mqtt:QueueQos0"] = "false" });
        await using (var client = await RawClient.ConnectAsync(small, "full", expiry: 1000))
        {
            await client.SubscribeAsync("full", Qos.AtLeastOnce);
            await client.DisconnectAsync();
        }

        await using var publisher = await RawClient.ConnectAsync(small, "full-publisher");
        for (var i = 0; i < 8; i++)
        {
            await publisher.PublishAsync("full", $"{i}");
            await publisher.PublishAsync("full", "not queued", Qos.AtMostOnce);
        }

        await publisher.ExpectNothingAsync();
        await using var again = await RawClient.ConnectAsync(small, "full", cleanStart: false, expiry: 1000);
        for (var i = 3; i < 8; i++) await again.ExpectPublishAsync("full", $"{i}", Qos.AtLeastOnce);
        await again.ExpectNothingAsync();
    }

    private Task<RawClient> ConnectAsync(string name, int level) =>
        RawClient.ConnectAsync(broker, name, level, cleanStart: false, expiry: level == 5 ? 1000 : null);

    private static async Task ExpectPubrelAsync(RawClient client, int id) => Assert.Equal(id, (await client.ExpectAsync(PacketType.Pubrel)).Id);

    private Task<BrokerHost> StartAsync(Dictionary<string, string?> settings) => broker.StartOtherAsync(settings);
}
