using Broker.Gateway.Mqtt.Codec.V5;
using Broker.Gateway.Mqtt.Packets;
using Broker.Grains.Interfaces.Messages;
using Broker.Tests.Protocol.Harness;
using Xunit;

namespace Broker.Tests.Protocol;

public sealed class TopicAliasTests : IClassFixture<TopicAliasTests.Broker>
{
    private readonly BrokerHost broker;

    public TopicAliasTests(Broker broker) => this.broker = broker;

    [Fact]
    [Clause("MQTT-3.3.2-12")]
    public async Task FindsTopic_WhenAliasIsSetAndChanged()
    {
        await using var client = await RawClient.ConnectAsync(broker, "ta-in");
        Assert.Equal((ushort)10, client.Connack.Properties[PropertyId.TopicAliasMaximum]);
        await client.SubscribeAsync("ta/in/#");
        await client.SendAsync(
            WirePacket.Publish("ta/in/a", "1", properties: Alias(10)), WirePacket.Publish("", "2", properties: Alias(10)),
            WirePacket.Publish("ta/in/b", "3", properties: Alias(10)), WirePacket.Publish("", "4", properties: Alias(10)),
            WirePacket.Publish("ta/in/c", "5", properties: Alias(1)), WirePacket.Publish("", "6", properties: Alias(10)));
        await client.ExpectPublishAsync("ta/in/a", "1");
        await client.ExpectPublishAsync("ta/in/a", "2");
        await client.ExpectPublishAsync("ta/in/b", "3");
        await client.ExpectPublishAsync("ta/in/b", "4");
        await client.ExpectPublishAsync("ta/in/c", "5");
        var last = await client.ExpectPublishAsync("ta/in/b", "6");
        Assert.Null(last.Properties[PropertyId.TopicAlias]); // the client allows none
    }

    [Theory]
    [InlineData("ta/x", 0, ReasonCode.TopicAliasInvalid)]
    [InlineData("ta/x", 11, ReasonCode.TopicAliasInvalid)]
    [InlineData("ta/x", 65_535, ReasonCode.TopicAliasInvalid)]
    [InlineData("", 3, ReasonCode.ProtocolError)]
    [InlineData("", 0, ReasonCode.TopicAliasInvalid)]
    [Clause("MQTT-3.3.2-8")]
    [Clause("MQTT-3.3.2-9")]
    public async Task Disconnects_WhenAliasIsNotAllowed(string topic, int alias, ReasonCode code)
    {
        await using var client = await RawClient.ConnectAsync(broker, $"ta-bad-{topic.Length}-{alias}");
        await client.SendAsync(WirePacket.Publish(topic, "x", Qos.AtLeastOnce, 1, properties: Alias((ushort)alias)));
        await client.ExpectDisconnectAsync(code);
    }

    [Fact]
    [Clause("MQTT-3.3.2-7")]
    public async Task ForgetsAliases_WhenConnectionEnds()
    {
        await using (var first = await RawClient.ConnectAsync(broker, "ta-gone", expiry: 100))
        {
            await first.SendAsync(WirePacket.Publish("ta/gone", "x", Qos.AtLeastOnce, 1, properties: Alias(1)));
            await first.ExpectAsync(PacketType.Puback);
        }

        await using var second = await RawClient.ConnectAsync(broker, "ta-gone", cleanStart: false, expiry: 100);
        await second.SendAsync(WirePacket.Publish("", "x", Qos.AtLeastOnce, 1, properties: Alias(1)));
        await second.ExpectDisconnectAsync(ReasonCode.ProtocolError);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    [Clause("MQTT-3.1.2-26")]
    [Clause("MQTT-3.1.2-27")]
    [Clause("MQTT-3.3.2-11")]
    public async Task KeepsToClientsMaximum_WhenAliasesAreSent(int maximum)
    {
        await using var subscriber = await RawClient.ConnectAsync(
            broker, $"ta-out-{maximum}", properties: new WireProperties().Add(PropertyId.TopicAliasMaximum, (ushort)maximum));
        await using var publisher = await RawClient.ConnectAsync(broker, $"ta-out-p-{maximum}");
        await subscriber.SubscribeAsync($"ta/out{maximum}/#", Qos.AtLeastOnce);
        var known = new Dictionary<ushort, string>();
        for (var round = 0; round < 3; round++)
        {
            for (var topic = 0; topic < 4; topic++)
            {
                await publisher.PublishAsync($"ta/out{maximum}/{topic}", $"{round}", round == 1 ? Qos.AtMostOnce : Qos.AtLeastOnce);
                var got = await subscriber.ExpectAsync(PacketType.Publish);
                var alias = (ushort?)got.Properties[PropertyId.TopicAlias] ?? 0;
                Assert.InRange(alias, 0, maximum);
                if (alias != 0 && got.Topic.Length > 0) known[alias] = got.Topic;
                Assert.Equal($"ta/out{maximum}/{topic}", got.Topic.Length > 0 ? got.Topic : known[alias]);
                if (round > 0) Assert.Equal(topic < maximum, got.Topic.Length == 0);
            }
        }
    }

    [Fact]
    public async Task SetsAliasLater_WhenPacketThatWouldHaveSetItIsTooLarge()
    {
        await using var subscriber = await RawClient.ConnectAsync(broker, "ta-large",
            properties: new WireProperties().Add(PropertyId.TopicAliasMaximum, (ushort)5).Add(PropertyId.MaximumPacketSize, 100u));
        await using var publisher = await RawClient.ConnectAsync(broker, "ta-large-p");
        await subscriber.SubscribeAsync("ta/large");
        await publisher.PublishAsync("ta/large", new string('x', 200));
        await publisher.PublishAsync("ta/large", "small");
        var got = await subscriber.ExpectPublishAsync("ta/large", "small");
        Assert.Equal((ushort)1, got.Properties[PropertyId.TopicAlias]);
    }

    private static WireProperties Alias(ushort alias) => new WireProperties().Add(PropertyId.TopicAlias, alias);

    public sealed class Broker() : BrokerHost(new Dictionary<string, string?> { ["Mqtt:MaxTopicAlias"] = "10" });
}
