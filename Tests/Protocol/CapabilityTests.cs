using Broker.Gateway.Mqtt.Codec.V5;
using Broker.Gateway.Mqtt.Packets;
using Broker.Grains.Interfaces.Messages;
using Broker.Tests.Protocol.Harness;
using Xunit;

namespace Broker.Tests.Protocol;

/// <summary>What CONNACK announces follows the configuration, and holds.</summary>
public sealed class CapabilityTests(CapabilityTests.Restricted broker) : IClassFixture<CapabilityTests.Restricted>
{
    public sealed class Restricted() : BrokerHost(new Dictionary<string, string?>
    {
        ["Mqtt:MaxPacketSize"] = "2000", ["Mqtt:MaxQos"] = "1", ["Mqtt:RetainAvailable"] = "false", ["Mqtt:WildcardSubscription"] = "false",
        ["Mqtt:SharedSubscription"] = "false", ["Mqtt:SubscriptionIdentifiers"] = "false", ["Mqtt:MaxTopicAlias"] = "3", ["Mqtt:ReceiveMaximum"] = "7",
        ["Mqtt:ServerKeepAlive"] = "17", ["Mqtt:ResponseInformation"] = "answers/", ["Mqtt:MaxSessionExpiryInterval"] = "00:01:00", ["Mqtt:MaxClientIdLength"] = "30",
        ["Mqtt:MaxTopicLevels"] = "3", ["Mqtt:MaxSubscriptions"] = "2",
    });

    [Fact]
    [Clause("MQTT-3.2.2-9")]
    [Clause("MQTT-3.2.2-21")]
    public async Task AnnouncesItsLimits_WhenTheyAreConfigured()
    {
        await using var client = await RawClient.ConnectAsync(broker, "told", expiry: 3600, keepAlive: 60);
        var told = client.Connack.Properties;
        Assert.Equal(60u, told[PropertyId.SessionExpiryInterval]);
        Assert.Equal((ushort)7, told[PropertyId.ReceiveMaximum]);
        Assert.Equal((byte)1, told[PropertyId.MaximumQos]);
        Assert.Equal((byte)0, told[PropertyId.RetainAvailable]);
        Assert.Equal(2000u, told[PropertyId.MaximumPacketSize]);
        Assert.Equal((ushort)3, told[PropertyId.TopicAliasMaximum]);
        Assert.Equal((byte)0, told[PropertyId.WildcardSubscriptionAvailable]);
        Assert.Equal((byte)0, told[PropertyId.SubscriptionIdentifiersAvailable]);
        Assert.Equal((byte)0, told[PropertyId.SharedSubscriptionAvailable]);
        Assert.Equal((ushort)17, told[PropertyId.ServerKeepAlive]);
        Assert.Null(told[PropertyId.ResponseInformation]);
    }

    [Fact]
    [Clause("MQTT-3.1.2-28")]
    public async Task TellsResponseInformation_WhenItIsAskedFor()
    {
        await using var client = await RawClient.ConnectAsync(broker, "asks", properties: new WireProperties().Add(PropertyId.RequestResponseInformation, (byte)1));
        Assert.Equal("answers/", client.Connack.Properties[PropertyId.ResponseInformation]);
    }

    [Fact]
    [Clause("MQTT-3.2.2-15")]
    public async Task DisconnectsWithPacketTooLarge_WhenPacketIsOverTheMaximum()
    {
        await using var client = await RawClient.ConnectAsync(broker, "large");
        await client.SendAsync(WirePacket.Publish("large", new string('x', 2000)));
        await client.ExpectDisconnectAsync(ReasonCode.PacketTooLarge);
        await using var old = await RawClient.ConnectAsync(broker, "large", 4);
        await old.SendAsync(WirePacket.Publish("large", new string('x', 2000), level: 4));
        await old.ExpectClosedAsync();
    }

    [Fact]
    [Clause("MQTT-3.2.2-11")]
    public async Task DisconnectsWithQosNotSupported_WhenPublishIsAboveTheMaximum()
    {
        await using var client = await RawClient.ConnectAsync(broker, "qos2");
        await client.SendAsync(WirePacket.Publish("qos2", "x", Qos.ExactlyOnce, 1));
        await client.ExpectDisconnectAsync(ReasonCode.QosNotSupported);
    }

    [Fact]
    [Clause("MQTT-3.2.2-10")]
    public async Task GrantsSubscription_WhenItsQosIsAboveThePublishMaximum()
    {
        await using var client = await RawClient.ConnectAsync(broker, "qos2-subscriber");
        await client.SendAsync(WirePacket.Subscribe(1, "qos2-subscriber", Qos.ExactlyOnce));
        Assert.True((await client.ExpectAsync(PacketType.Suback)).Code <= ReasonCode.GrantedQos2);
        await client.PublishAsync("qos2-subscriber", "x", Qos.AtMostOnce);
        await client.ExpectPublishAsync("qos2-subscriber", "x");
    }

    [Fact]
    [Clause("MQTT-3.2.2-12")]
    [Clause("MQTT-3.2.2-13")]
    public async Task RefusesConnect_WhenItsWillIsAboveTheLimits()
    {
        await using var qos = await RawClient.OpenAsync(broker);
        await qos.SendAsync(WirePacket.Connect("will-qos", will: new WireWill("t", "p", Qos.ExactlyOnce)));
        Assert.Equal(ReasonCode.QosNotSupported, (await qos.ExpectAsync(PacketType.Connack)).Code);
        await qos.ExpectClosedAsync();
        await using var retain = await RawClient.OpenAsync(broker);
        await retain.SendAsync(WirePacket.Connect("will-retain", will: new WireWill("t", "p", retain: true)));
        Assert.Equal(ReasonCode.RetainNotSupported, (await retain.ExpectAsync(PacketType.Connack)).Code);
        await retain.ExpectClosedAsync();
    }

    [Fact]
    [Clause("MQTT-3.2.2-14")]
    public async Task DisconnectsWithRetainNotSupported_WhenPublishIsRetained()
    {
        await using var client = await RawClient.ConnectAsync(broker, "retain");
        await client.SendAsync(WirePacket.Publish("retain", "x", retain: true));
        await client.ExpectDisconnectAsync(ReasonCode.RetainNotSupported);
    }

    [Fact]
    public async Task RefusesFilter_WhenItsKindIsTurnedOff()
    {
        await using var client = await RawClient.ConnectAsync(broker, "filters");
        await client.SendAsync(WirePacket.Subscribe(1, [("plain", 0), ("a/+", 0), ("$share/g/a", 0), ("a/b/c/d", 0)]));
        Assert.Equal(
            [ReasonCode.Success, ReasonCode.WildcardSubscriptionsNotSupported, ReasonCode.SharedSubscriptionsNotSupported, ReasonCode.TopicFilterInvalid],
            (await client.ExpectAsync(PacketType.Suback)).Codes);
        await client.SendAsync(WirePacket.Subscribe(2, "plain", properties: new WireProperties().Add(PropertyId.SubscriptionIdentifier, 1)));
        await client.ExpectDisconnectAsync(ReasonCode.SubscriptionIdentifiersNotSupported);
    }

    [Theory]
    [InlineData(null)]
    [InlineData(30u)]
    public async Task RefusesSubscription_WhenClientHasTooMany(uint? expiry)
    {
        var id = $"many-{expiry}";
        await using var client = await RawClient.ConnectAsync(broker, id, expiry: expiry);
        await client.SendAsync(WirePacket.Subscribe(1, [("m/1", 0), ("m/2", 0), ("m/3", 0)]));
        Assert.Equal([ReasonCode.Success, ReasonCode.Success, ReasonCode.QuotaExceeded], (await client.ExpectAsync(PacketType.Suback)).Codes);
        await client.SendAsync(WirePacket.Unsubscribe(2, ["m/1"]));
        await client.ExpectAsync(PacketType.Unsuback);
        await client.SubscribeAsync("m/3");
        if (expiry is null) return;
        await client.DisconnectAsync();
        await using var again = await RawClient.ConnectAsync(broker, id, cleanStart: false, expiry: expiry);
        await again.SendAsync(WirePacket.Subscribe(3, "m/4"));
        Assert.Equal(ReasonCode.QuotaExceeded, (await again.ExpectAsync(PacketType.Suback)).Code);
    }

    [Fact]
    [Clause("MQTT-3.1.3-8")]
    [Clause("MQTT-3.2.2-7")]
    public async Task RefusesTopicAndClientIdentifier_WhenTooLong()
    {
        await using var client = await RawClient.ConnectAsync(broker, "levels");
        await client.SendAsync(WirePacket.Publish("a/b/c/d", "x", Qos.AtLeastOnce, 1));
        Assert.Equal(ReasonCode.TopicNameInvalid, (await client.ExpectAsync(PacketType.Puback)).Code);
        await using var named = await RawClient.OpenAsync(broker);
        await named.SendAsync(WirePacket.Connect(new string('x', 31)));
        Assert.Equal(ReasonCode.ClientIdentifierNotValid, (await named.ExpectAsync(PacketType.Connack)).Code);
        await named.ExpectClosedAsync();
    }

    [Fact]
    [Clause("MQTT-3.3.2-9")]
    [Clause("MQTT-3.2.2-17")]
    public async Task DisconnectsWithTopicAliasInvalid_WhenAliasIsAboveTheMaximum()
    {
        foreach (ushort alias in new ushort[] { 0, 4 })
        {
            await using var client = await RawClient.ConnectAsync(broker, "alias");
            await client.SendAsync(WirePacket.Publish("alias", "x", properties: new WireProperties().Add(PropertyId.TopicAlias, alias)));
            await client.ExpectDisconnectAsync(ReasonCode.TopicAliasInvalid);
        }
    }

    [Fact]
    public async Task CapsSessionExpiry_WhenDisconnectRaisesIt()
    {
        await using var client = await RawClient.ConnectAsync(broker, "capped", expiry: 30);
        await client.DisconnectAsync(properties: new WireProperties().Add(PropertyId.SessionExpiryInterval, 1_000_000u));
        broker.Advance(TimeSpan.FromSeconds(90));
        await using var again = await RawClient.ConnectAsync(broker, "capped", cleanStart: false);
        Assert.False(again.Connack.SessionPresent);
    }

    [Fact]
    [Clause("MQTT-3.1.2-22")]
    [Clause("MQTT-3.2.2-21")]
    public async Task CountsServerKeepAlive_WhenItReplacesTheClients()
    {
        await using var client = await RawClient.ConnectAsync(broker, "server-keep-alive", keepAlive: 0);
        broker.Advance(TimeSpan.FromSeconds(24));
        await client.ExpectNothingAsync();
        broker.Advance(TimeSpan.FromSeconds(26));
        await client.ExpectDisconnectAsync(ReasonCode.KeepAliveTimeout);
    }
}
