using System.Buffers;
using Broker.Gateway.Mqtt.Codec;
using Broker.Gateway.Mqtt.Codec.V3;
using Broker.Gateway.Mqtt.Codec.V5;
using Broker.Gateway.Mqtt.Packets;
using Broker.Grains.Interfaces.Messages;
using Broker.Grains.Interfaces.Topics;
using MQTTnet.Formatter;
using MQTTnet.Packets;
using MQTTnet.Protocol;
using Xunit;

namespace Broker.Tests.Unit.Gateway.Mqtt.Codec;

/// <summary>We write, MQTTnet reads.</summary>
public class ServerToClientRoundTripTests
{
    private const MqttProtocolVersion V5 = MqttProtocolVersion.V500;
    private static readonly UserProperty[] User = [new("a", "1"), new("a", "2"), new("", "ü")];

    [Fact]
    public void Agrees_WhenConnackCarriesEverything()
    {
        var read = MqttNetPeer.Read<MqttConnAckPacket>(V5, Wire.Written(V5Codec.Instance, new ConnackPacket
        {
            Code = ReasonCode.Success,
            SessionPresent = true,
            SessionExpiryInterval = 1,
            ReceiveMaximum = 2,
            MaximumQos = Qos.AtLeastOnce,
            RetainAvailable = false,
            MaximumPacketSize = 3,
            AssignedClientIdentifier = "assigned",
            TopicAliasMaximum = 4,
            ReasonString = "reason",
            WildcardSubscriptionAvailable = false,
            SubscriptionIdentifiersAvailable = false,
            SharedSubscriptionAvailable = false,
            ServerKeepAlive = 5,
            ResponseInformation = "response",
            ServerReference = "reference",
            AuthenticationMethod = "method",
            AuthenticationData = [6],
            UserProperties = User,
        }));

        Assert.Equal((MqttConnectReasonCode.Success, true), (read.ReasonCode, read.IsSessionPresent));
        Assert.Equal((1u, 2, 3u), (read.SessionExpiryInterval, read.ReceiveMaximum, read.MaximumPacketSize));
        Assert.Equal((4, 5), (read.TopicAliasMaximum, read.ServerKeepAlive));
        Assert.Equal((MqttQualityOfServiceLevel.AtLeastOnce, false), (read.MaximumQoS, read.RetainAvailable));
        Assert.Equal((false, false, false), (read.WildcardSubscriptionAvailable, read.SubscriptionIdentifiersAvailable, read.SharedSubscriptionAvailable));
        Assert.Equal(("assigned", "reason", "response"), (read.AssignedClientIdentifier, read.ReasonString, read.ResponseInformation));
        Assert.Equal(("reference", "method"), (read.ServerReference, read.AuthenticationMethod));
        Assert.Equal([6], read.AuthenticationData);
        SameUser(read.UserProperties);
    }

    [Fact]
    public void Agrees_WhenAnswersCarryEverything()
    {
        ReasonCode[] codes = [ReasonCode.GrantedQos2, ReasonCode.NotAuthorized];
        var suback = MqttNetPeer.Read<MqttSubAckPacket>(V5, Wire.Written(V5Codec.Instance, new SubackPacket(9, codes, "why") { UserProperties = User }));
        Assert.Equal((9, "why"), (suback.PacketIdentifier, suback.ReasonString));
        Assert.Equal([MqttSubscribeReasonCode.GrantedQoS2, MqttSubscribeReasonCode.NotAuthorized], suback.ReasonCodes);
        SameUser(suback.UserProperties);

        codes = [ReasonCode.Success, ReasonCode.NoSubscriptionExisted];
        var unsuback = MqttNetPeer.Read<MqttUnsubAckPacket>(V5, Wire.Written(V5Codec.Instance, new UnsubackPacket(9, codes, "why") { UserProperties = User }));
        Assert.Equal((9, "why"), (unsuback.PacketIdentifier, unsuback.ReasonString));
        Assert.Equal([MqttUnsubscribeReasonCode.Success, MqttUnsubscribeReasonCode.NoSubscriptionExisted], unsuback.ReasonCodes);
        SameUser(unsuback.UserProperties);
    }

    [Fact]
    public void Agrees_WhenPacketConcernsTheConnection()
    {
        var disconnect = MqttNetPeer.Read<MqttDisconnectPacket>(V5, Wire.Written(V5Codec.Instance, new DisconnectPacket(ReasonCode.UseAnotherServer)
        {
            ReasonString = "why",
            ServerReference = "there",
            UserProperties = User,
        }));
        Assert.Equal((MqttDisconnectReasonCode.UseAnotherServer, "why", "there"), (disconnect.ReasonCode, disconnect.ReasonString, disconnect.ServerReference));
        SameUser(disconnect.UserProperties);

        var auth = MqttNetPeer.Read<MqttAuthPacket>(V5, Wire.Written(V5Codec.Instance, new AuthPacket(ReasonCode.ContinueAuthentication)
        {
            AuthenticationMethod = "method",
            AuthenticationData = [1],
            ReasonString = "why",
            UserProperties = User,
        }));
        Assert.Equal((MqttAuthenticateReasonCode.ContinueAuthentication, "method", "why"), (auth.ReasonCode, auth.AuthenticationMethod, auth.ReasonString));
        Assert.Equal([1], auth.AuthenticationData);
        SameUser(auth.UserProperties);
        MqttNetPeer.Read<MqttPingRespPacket>(V5, Wire.Written(V5Codec.Instance, PingrespPacket.Instance));
    }

    [Fact]
    [Clause("MQTT-3.3.2-15")]
    [Clause("MQTT-3.3.2-16")]
    [Clause("MQTT-3.3.2-17")]
    [Clause("MQTT-3.3.2-20")]
    [Clause("MQTT-3.3.4-3")]
    [Clause("MQTT-3.3.4-4")]
    public void Agrees_WhenPublishCarriesEverything()
    {
        var message = Message(10, new MessageProperties
        {
            IsText = true,
            ContentType = "text/plain",
            ResponseTopic = "response/ü",
            CorrelationData = [],
            User = User,
        });
        var read = MqttNetPeer.Read<MqttPublishPacket>(V5, Wire.Written(V5Codec.Instance, new OutboundPublish
        {
            Message = message,
            Topic = message.Topic.Utf8,
            Qos = Qos.AtLeastOnce,
            Retain = true,
            Dup = true,
            PacketIdentifier = 65_535,
            TopicAlias = 3,
            MessageExpiryInterval = 4,
            SubscriptionIdentifiers = [1, 128, 268_435_455],
        }));

        Assert.Equal(("a/ü", 65_535, true, true), (read.Topic, read.PacketIdentifier, read.Retain, read.Dup));
        Assert.Equal((MqttQualityOfServiceLevel.AtLeastOnce, 3, 4u), (read.QualityOfServiceLevel, read.TopicAlias, read.MessageExpiryInterval));
        Assert.Equal(message.Payload, read.Payload.ToArray());
        Assert.Equal([1u, 128, 268_435_455], read.SubscriptionIdentifiers);
        Assert.Equal(MqttPayloadFormatIndicator.CharacterData, read.PayloadFormatIndicator);
        Assert.Equal(("text/plain", "response/ü"), (read.ContentType, read.ResponseTopic));
        SameUser(read.UserProperties);
    }

    [Fact]
    public void ReadsItsOwnPublish_WhenSizesCrossEveryBorder()
    {
        // Payloads around the places where the remaining length, and user properties where the property length, take one byte more.
        int[] payloads = [0, 1, 110, 119, 120, 121, 122, 123, 124, 125, 126, 127, 128, 16_376, 16_377, 16_378, 16_379, 16_384, 2_097_152];
        int[] names = [-1, 0, 121, 122, 123, 124, 16_377, 16_378, 16_379, 16_380];
        foreach (var payload in payloads)
        {
            foreach (var name in names)
            {
                var properties = name < 0 ? null : new MessageProperties { User = [new(new string('n', name), "")] };
                foreach (var qos in new[] { Qos.AtMostOnce, Qos.ExactlyOnce }) SameWhenReadBack(Message(payload, properties), qos);
            }
        }
    }

    private static void SameWhenReadBack(ApplicationMessage message, Qos qos)
    {
        var packet = new OutboundPublish
        {
            Message = message,
            Topic = message.Topic.Utf8,
            Qos = qos,
            PacketIdentifier = qos == Qos.AtMostOnce ? (ushort)0 : (ushort)513,
        };
        foreach (var codec in new MqttCodec[] { V3Codec.Instance, V3Codec.InstanceV31, V5Codec.Instance })
        {
            var read = Assert.IsType<ReadPublish>(Wire.Read(codec, Wire.Written(codec, in packet)));
            Assert.True(read.Topic.AsSpan().SequenceEqual(message.Topic.Utf8));
            Assert.True(read.Payload.AsSpan().SequenceEqual(message.Payload));
            Assert.Equal((qos, packet.PacketIdentifier), (read.Qos, read.PacketIdentifier));
            Assert.Equal(codec is V5Codec ? message.Properties?.User : null, read.Properties?.User);
        }
    }

    private static ApplicationMessage Message(int payloadLength, MessageProperties? properties)
    {
        var payload = new byte[payloadLength];
        payload.AsSpan().Fill(0xAB);
        return new ApplicationMessage { Topic = TopicName.Parse("a/ü"), Payload = payload, Properties = properties };
    }

    private static void SameUser(List<MqttUserProperty> read)
    {
        Assert.Equal(User.Length, read.Count);
        for (var i = 0; i < User.Length; i++)
        {
            Assert.Equal((User[i].Name, User[i].Value), (read[i].Name, System.Text.Encoding.UTF8.GetString(read[i].ValueBuffer.Span)));
        }
    }
}
