using Broker.Gateway.Mqtt.Codec.V5;
using Broker.Gateway.Mqtt.Packets;
using Broker.Grains.Interfaces.Messages;
using Broker.Tests.Protocol.Harness;
using Xunit;

namespace Broker.Tests.Protocol;

/// <summary>What configuration forbids: the right code in 5.0, the right behaviour in 3.x.</summary>
public class ConfiguredLimitTests : IClassFixture<ConfiguredLimitTests.Broker>
{
    private readonly BrokerHost broker;

    public ConfiguredLimitTests(Broker broker) => this.broker = broker;

    [Fact]
    [Clause("MQTT-3.2.2-9")]
    public async Task TellsLimits_InConnack()
    {
        await using var client = await RawClient.ConnectAsync(broker, "cl-connack");
        var told = client.Connack.Properties;
        Assert.Equal((byte)1, told[PropertyId.MaximumQos]);
        foreach (var id in new[]
        {
            PropertyId.RetainAvailable, PropertyId.WildcardSubscriptionAvailable, PropertyId.SharedSubscriptionAvailable, PropertyId.SubscriptionIdentifiersAvailable,
        })
        {
            Assert.Equal((byte)0, told[id]);
        }

        Assert.Equal((ushort)0, (ushort?)told[PropertyId.TopicAliasMaximum] ?? 0);
    }

    [Theory]
    [InlineData(3)]
    [InlineData(4)]
    [InlineData(5)]
    [Clause("MQTT-3.2.2-11")]
    public async Task Disconnects_WhenPublishIsOverMaxQos(int level)
    {
        await using var client = await RawClient.ConnectAsync(broker, $"cl-qos-{level}", level);
        await client.SendAsync(WirePacket.Publish("a", "x", Qos.ExactlyOnce, 1, level: level));
        await client.ExpectDisconnectAsync(ReasonCode.QosNotSupported);
    }

    [Theory]
    [InlineData(4)]
    [InlineData(5)]
    [Clause("MQTT-3.2.2-14")]
    public async Task Disconnects_WhenPublishIsRetained(int level)
    {
        await using var client = await RawClient.ConnectAsync(broker, $"cl-ret-{level}", level);
        await client.SendAsync(WirePacket.Publish("a", "x", retain: true, level: level));
        await client.ExpectDisconnectAsync(ReasonCode.RetainNotSupported);
    }

    [Theory]
    [InlineData(5, Qos.ExactlyOnce, false, ReasonCode.QosNotSupported)]
    [InlineData(5, Qos.AtMostOnce, true, ReasonCode.RetainNotSupported)]
    [Clause("MQTT-3.2.2-12")]
    [Clause("MQTT-3.2.2-13")]
    public async Task RefusesConnect_WhenWillIsOverLimits(int level, Qos qos, bool retain, ReasonCode code)
    {
        await using var client = await RawClient.OpenAsync(broker, level);
        await client.SendAsync(WirePacket.Connect("cl-will", level, will: new WireWill("w", "x", qos, retain)));
        Assert.Equal(code, (await client.ExpectAsync(PacketType.Connack)).Code);
        await client.ExpectClosedAsync();
    }

    [Theory]
    [InlineData("a/+", ReasonCode.WildcardSubscriptionsNotSupported)]
    [InlineData("#", ReasonCode.WildcardSubscriptionsNotSupported)]
    [InlineData("$share/g/a", ReasonCode.SharedSubscriptionsNotSupported)]
    [InlineData("$queue/a", ReasonCode.SharedSubscriptionsNotSupported)]
    [InlineData("a/b/c/d", ReasonCode.TopicFilterInvalid)]
    public async Task RefusesFilter_WhenNotAvailable(string filter, ReasonCode code)
    {
        foreach (var level in new[] { 4, 5 })
        {
            await using var client = await RawClient.ConnectAsync(broker, $"cl-sub-{level}-{(int)code}-{filter.Length}", level);
            await client.SendAsync(WirePacket.Subscribe(1, [(filter, 0), ("fine", 1)], level));
            Assert.Equal((ReasonCode[])[level == 5 ? code : ReasonCode.UnspecifiedError, ReasonCode.GrantedQos1], (await client.ExpectAsync(PacketType.Suback)).Codes);
        }
    }

    [Fact]
    public async Task Disconnects_WhenSubscriptionIdentifierIsNotAvailable()
    {
        await using var client = await RawClient.ConnectAsync(broker, "cl-id");
        await client.SendAsync(WirePacket.Subscribe(1, "a", properties: new WireProperties().Add(PropertyId.SubscriptionIdentifier, 1)));
        await client.ExpectDisconnectAsync(ReasonCode.SubscriptionIdentifiersNotSupported);
    }

    [Fact]
    [Clause("MQTT-3.2.2-18")]
    public async Task Disconnects_WhenTopicAliasIsNotAvailable()
    {
        await using var client = await RawClient.ConnectAsync(broker, "cl-alias");
        await client.SendAsync(WirePacket.Publish("a", "x", properties: new WireProperties().Add(PropertyId.TopicAlias, (ushort)1)));
        await client.ExpectDisconnectAsync(ReasonCode.TopicAliasInvalid);
    }

    [Fact]
    public async Task RefusesPublish_WhenTopicHasTooManyLevels()
    {
        await using var client = await RawClient.ConnectAsync(broker, "cl-levels");
        await client.SendAsync(WirePacket.Publish("a/b/c", "x", Qos.AtLeastOnce, 1), WirePacket.Publish("a/b/c/d", "x", Qos.AtLeastOnce, 2));
        Assert.Equal(ReasonCode.NoMatchingSubscribers, (await client.ExpectAsync(PacketType.Puback)).Code);
        Assert.Equal(ReasonCode.TopicNameInvalid, (await client.ExpectAsync(PacketType.Puback)).Code);
        await using var old = await RawClient.ConnectAsync(broker, "cl-levels-3", level: 4);
        await old.SendAsync(WirePacket.Publish("a/b/c/d", "x", Qos.AtLeastOnce, 2, level: 4));
        await old.ExpectClosedAsync();
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task RefusesSubscription_WhenItIsOneTooMany(bool durable)
    {
        await using var client = await RawClient.ConnectAsync(broker, $"cl-many-{durable}", expiry: durable ? 60u : null);
        await client.SendAsync(WirePacket.Subscribe(1, [("a", 0), ("b", 0), ("c", 0), ("a", 1), ("d", 0)]));
        Assert.Equal((ReasonCode[])[ReasonCode.Success, ReasonCode.Success, ReasonCode.Success, ReasonCode.GrantedQos1, ReasonCode.QuotaExceeded], (await client.ExpectAsync(PacketType.Suback)).Codes);
        await client.SendAsync(WirePacket.Subscribe(2, [("b", 2), ("e", 0)])); // replacing is not one more
        Assert.Equal((ReasonCode[])[ReasonCode.GrantedQos2, ReasonCode.QuotaExceeded], (await client.ExpectAsync(PacketType.Suback)).Codes);
        await client.SendAsync(WirePacket.Unsubscribe(3, ["b"]));
        await client.ExpectAsync(PacketType.Unsuback);
        await client.SendAsync(WirePacket.Subscribe(4, [("e", 0), ("f", 0)]));
        Assert.Equal((ReasonCode[])[ReasonCode.Success, ReasonCode.QuotaExceeded], (await client.ExpectAsync(PacketType.Suback)).Codes);
        if (!durable) return;
        await client.DisconnectAsync();
        await using var again = await RawClient.ConnectAsync(broker, $"cl-many-{durable}", cleanStart: false, expiry: 60);
        await again.SendAsync(WirePacket.Subscribe(1, [("a", 0), ("g", 0)]));
        Assert.Equal((ReasonCode[])[ReasonCode.Success, ReasonCode.QuotaExceeded], (await again.ExpectAsync(PacketType.Suback)).Codes);
    }

    [Theory]
    [InlineData(4, 30, true)]
    [InlineData(4, 31, false)]
    [InlineData(5, 30, true)]
    [InlineData(5, 31, false)]
    public async Task RefusesConnect_WhenClientIdIsTooLong(int level, int length, bool allowed)
    {
        await using var client = await RawClient.OpenAsync(broker, level);
        await client.SendAsync(WirePacket.Connect(new string('i', length), level));
        var code = (await client.ExpectAsync(PacketType.Connack)).Code;
        Assert.Equal(allowed ? ReasonCode.Success : level == 5 ? ReasonCode.ClientIdentifierNotValid : (ReasonCode)2, code);
        if (!allowed) await client.ExpectClosedAsync();
    }

    public class Broker() : BrokerHost(new Dictionary<string, string?>
    {
        ["Mqtt:MaxQos"] = "1", ["Mqtt:RetainAvailable"] = "false", ["Mqtt:WildcardSubscription"] = "false", ["Mqtt:SharedSubscription"] = "false",
        ["Mqtt:SubscriptionIdentifiers"] = "false", ["Mqtt:MaxTopicLevels"] = "3", ["Mqtt:MaxSubscriptions"] = "3", ["Mqtt:MaxClientIdLength"] = "30",
        ["Mqtt:MaxTopicAlias"] = "0",
    });
}
