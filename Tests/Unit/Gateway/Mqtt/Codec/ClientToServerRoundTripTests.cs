using System.Buffers;
using System.Text;
using Broker.Gateway.Mqtt.Codec;
using Broker.Gateway.Mqtt.Packets;
using Broker.Grains.Interfaces.Messages;
using Broker.Grains.Interfaces.Sessions;
using MQTTnet.Formatter;
using MQTTnet.Packets;
using MQTTnet.Protocol;
using Xunit;

namespace Broker.Tests.Unit.Gateway.Mqtt.Codec;

/// <summary>MQTTnet writes, we read.</summary>
public class ClientToServerRoundTripTests
{
    private static readonly UserProperty[] User = [new("a", "1"), new("a", "2"), new("", "ü")];

    [Theory]
    [InlineData(MqttProtocolVersion.V310, false)]
    [InlineData(MqttProtocolVersion.V311, false)]
    [InlineData(MqttProtocolVersion.V311, true)]
    [InlineData(MqttProtocolVersion.V500, false)]
    public void Agrees_WhenConnectCarriesEverything(MqttProtocolVersion version, bool bridge)
    {
        var v5 = version == MqttProtocolVersion.V500;
        var body = Body(version, 0x10, new MqttConnectPacket
        {
            ClientId = "client",
            CleanSession = true,
            KeepAlivePeriod = 61,
            Username = "user",
            Password = [0, 1, 255],
            TryPrivate = bridge,
            WillFlag = true,
            WillTopic = "will/topic",
            WillMessage = Encoding.UTF8.GetBytes("bye"),
            WillQoS = MqttQualityOfServiceLevel.ExactlyOnce,
            WillRetain = true,
            WillContentType = "text/plain",
            WillCorrelationData = [7],
            WillDelayInterval = 8,
            WillMessageExpiryInterval = 9,
            WillPayloadFormatIndicator = MqttPayloadFormatIndicator.CharacterData,
            WillResponseTopic = "will/response",
            WillUserProperties = Theirs(),
            SessionExpiryInterval = 10,
            ReceiveMaximum = 11,
            MaximumPacketSize = 12,
            TopicAliasMaximum = 13,
            RequestResponseInformation = true,
            RequestProblemInformation = false,
            AuthenticationMethod = "method",
            AuthenticationData = [14],
            UserProperties = Theirs(),
        });

        var read = ConnectDecoder.Decode(body);

        Assert.Equal((ProtocolVersion)version, read.Version);
        Assert.Equal(("client", true, 61, "user"), (read.ClientId, read.CleanStart, (int)read.KeepAlive, read.UserName));
        Assert.Equal([0, 1, 255], read.Password);
        var will = Assert.IsType<WillPacket>(read.Will);
        Assert.Equal(("will/topic", Qos.ExactlyOnce, true), (will.Topic.Text, will.Qos, will.Retain));
        Assert.Equal("bye"u8.ToArray(), will.Payload);
        Assert.Equal(v5 ? (8, 9) : (0, null), (will.DelaySeconds, (int?)will.MessageExpiryInterval));
        Assert.Equal(v5 ? (10, 11, 12, 13) : (null, 65_535, null, 0),
            ((int?)read.SessionExpiryInterval, read.ReceiveMaximum, (int?)read.MaximumPacketSize, read.TopicAliasMaximum));
        Assert.Equal(v5 ? (true, false, "method") : (false, true, null),
            (read.RequestResponseInformation, read.RequestProblemInformation, read.AuthenticationMethod));
        Assert.Equal(v5 ? [14] : null, read.AuthenticationData);
        Assert.Equal(v5 ? User : [], read.UserProperties);
        if (v5) SameProperties(will.Properties, "will/response", [7]);
        else Assert.Null(will.Properties);
    }

    [Theory]
    [InlineData(MqttProtocolVersion.V310)]
    [InlineData(MqttProtocolVersion.V311)]
    [InlineData(MqttProtocolVersion.V500)]
    public void Agrees_WhenPublishCarriesEverything(MqttProtocolVersion version)
    {
        var read = Assert.IsType<ReadPublish>(Read(version, new MqttPublishPacket
        {
            Topic = "a/ü",
            PacketIdentifier = 65_535,
            Dup = true,
            Retain = true,
            QualityOfServiceLevel = MqttQualityOfServiceLevel.ExactlyOnce,
            Payload = new ReadOnlySequence<byte>(new byte[300]),
            TopicAlias = 5,
            MessageExpiryInterval = 6,
            PayloadFormatIndicator = MqttPayloadFormatIndicator.CharacterData,
            ContentType = "text/plain",
            ResponseTopic = "response",
            CorrelationData = [7],
            UserProperties = Theirs(),
        }));

        Assert.Equal("a/ü", Encoding.UTF8.GetString(read.Topic));
        Assert.Equal(new byte[300], read.Payload);
        Assert.Equal((65_535, true, true, Qos.ExactlyOnce), (read.PacketIdentifier, read.Dup, read.Retain, read.Qos));
        if (version == MqttProtocolVersion.V500)
        {
            Assert.Equal((5, 6u), (read.TopicAlias, read.MessageExpiryInterval.GetValueOrDefault()));
            SameProperties(read.Properties, "response", [7]);
        }
        else
        {
            Assert.Null(read.Properties);
        }
    }

    [Theory]
    [InlineData(MqttProtocolVersion.V310)]
    [InlineData(MqttProtocolVersion.V311)]
    [InlineData(MqttProtocolVersion.V500)]
    public void Agrees_WhenPacketAcknowledges(MqttProtocolVersion version)
    {
        var v5 = version == MqttProtocolVersion.V500;
        Assert.Equal(
            new ReadAcknowledgement(PacketType.Puback, 1, v5 ? ReasonCode.QuotaExceeded : ReasonCode.Success),
            Read(version, new MqttPubAckPacket { PacketIdentifier = 1, ReasonCode = MqttPubAckReasonCode.QuotaExceeded, UserProperties = Theirs() }));
        Assert.Equal(
            new ReadAcknowledgement(PacketType.Pubrec, 2, v5 ? ReasonCode.NotAuthorized : ReasonCode.Success),
            Read(version, new MqttPubRecPacket { PacketIdentifier = 2, ReasonCode = MqttPubRecReasonCode.NotAuthorized, ReasonString = "x" }));
        Assert.Equal(
            new ReadAcknowledgement(PacketType.Pubrel, 3, v5 ? ReasonCode.PacketIdentifierNotFound : ReasonCode.Success),
            Read(version, new MqttPubRelPacket { PacketIdentifier = 3, ReasonCode = MqttPubRelReasonCode.PacketIdentifierNotFound }));
        Assert.Equal(new ReadAcknowledgement(PacketType.Pubcomp, 4, ReasonCode.Success), Read(version, new MqttPubCompPacket { PacketIdentifier = 4 }));
    }

    [Theory]
    [InlineData(MqttProtocolVersion.V310)]
    [InlineData(MqttProtocolVersion.V311)]
    [InlineData(MqttProtocolVersion.V500)]
    public void Agrees_WhenPacketSubscribes(MqttProtocolVersion version)
    {
        var v5 = version == MqttProtocolVersion.V500;
        var subscribe = Assert.IsType<SubscribePacket>(Read(version, new MqttSubscribePacket
        {
            PacketIdentifier = 9,
            SubscriptionIdentifier = v5 ? 200u : 0,
            UserProperties = v5 ? Theirs() : null,
            TopicFilters =
            [
                new MqttTopicFilter { Topic = "a/+", QualityOfServiceLevel = MqttQualityOfServiceLevel.AtLeastOnce },
                new MqttTopicFilter { Topic = "#", NoLocal = v5, RetainAsPublished = v5, RetainHandling = v5 ? MqttRetainHandling.DoNotSendOnSubscribe : 0 },
            ],
        }));
        Assert.Equal(9, subscribe.PacketIdentifier);
        Assert.Equal(v5 ? User : [], subscribe.UserProperties);
        Assert.Equal(
            [
                new SubscriptionRequest("a/+", new SubscriptionOptions(Qos.AtLeastOnce, Identifier: v5 ? 200 : 0)),
                new SubscriptionRequest("#", v5 ? new SubscriptionOptions(Qos.AtMostOnce, true, true, RetainHandling.DoNotSend, 200) : default),
            ],
            subscribe.Requests);

        var unsubscribe = Assert.IsType<UnsubscribePacket>(Read(version, new MqttUnsubscribePacket { PacketIdentifier = 9, TopicFilters = ["a/+", "#"] }));
        Assert.Equal(9, unsubscribe.PacketIdentifier);
        Assert.Equal(["a/+", "#"], unsubscribe.Filters);
    }

    [Theory]
    [InlineData(MqttProtocolVersion.V310)]
    [InlineData(MqttProtocolVersion.V311)]
    [InlineData(MqttProtocolVersion.V500)]
    public void Agrees_WhenPacketConcernsTheConnection(MqttProtocolVersion version)
    {
        var v5 = version == MqttProtocolVersion.V500;
        Assert.Same(PingreqPacket.Instance, Read(version, MqttPingReqPacket.Instance));
        var disconnect = Assert.IsType<DisconnectPacket>(Read(version, new MqttDisconnectPacket
        {
            ReasonCode = MqttDisconnectReasonCode.DisconnectWithWillMessage,
            ReasonString = v5 ? "why" : null,
            SessionExpiryInterval = v5 ? 5u : 0,
            UserProperties = v5 ? Theirs() : null,
        }));
        Assert.Equal(v5 ? (ReasonCode.DisconnectWithWill, "why", 5) : (ReasonCode.Success, null, null),
            (disconnect.Code, disconnect.ReasonString, (int?)disconnect.SessionExpiryInterval));
        Assert.Equal(v5 ? User : [], disconnect.UserProperties);
        if (!v5) return;

        var auth = Assert.IsType<AuthPacket>(Read(version, new MqttAuthPacket
        {
            ReasonCode = MqttAuthenticateReasonCode.ReAuthenticate,
            AuthenticationMethod = "method",
            AuthenticationData = [1],
            ReasonString = "why",
            UserProperties = Theirs(),
        }));
        Assert.Equal((ReasonCode.Reauthenticate, "method", "why"), (auth.Code, auth.AuthenticationMethod, auth.ReasonString));
        Assert.Equal([1], auth.AuthenticationData);
        Assert.Equal(User, auth.UserProperties);
    }

    private static void SameProperties(MessageProperties? read, string responseTopic, byte[] correlationData)
    {
        Assert.NotNull(read);
        Assert.Equal((true, "text/plain", responseTopic), (read.IsText, read.ContentType, read.ResponseTopic));
        Assert.Equal(correlationData, read.CorrelationData);
        Assert.Equal(User, read.User);
    }

    private static List<MqttUserProperty> Theirs()
    {
        var theirs = new List<MqttUserProperty>();
        foreach (var (name, value) in User) theirs.Add(new MqttUserProperty(name, new ReadOnlyMemory<byte>(Encoding.UTF8.GetBytes(value))));
        return theirs;
    }

    private static object Read(MqttProtocolVersion version, MqttPacket packet) =>
        Wire.Read(MqttCodec.For((ProtocolVersion)version), MqttNetPeer.Write(version, packet));

    private static byte[] Body(MqttProtocolVersion version, byte expectedFirstByte, MqttPacket packet)
    {
        var bytes = MqttNetPeer.Write(version, packet);
        Assert.True(FrameReader.TryRead(bytes, int.MaxValue, out var firstByte, out var bodyStart, out var bodyLength));
        Assert.Equal((expectedFirstByte, bytes.Length), (firstByte, bodyStart + bodyLength));
        return bytes[bodyStart..];
    }
}
