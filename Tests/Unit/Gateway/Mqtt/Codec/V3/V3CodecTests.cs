using Broker.Gateway.Mqtt.Codec;
using Broker.Gateway.Mqtt.Codec.V3;
using Broker.Gateway.Mqtt.Packets;
using Broker.Grains.Interfaces.Messages;
using Broker.Grains.Interfaces.Sessions;
using Xunit;

namespace Broker.Tests.Unit.Gateway.Mqtt.Codec.V3;

public class V3CodecTests
{
    [Theory]
    [InlineData(0x40, PacketType.Puback)]
    [InlineData(0x50, PacketType.Pubrec)]
    [InlineData(0x62, PacketType.Pubrel)]
    [InlineData(0x70, PacketType.Pubcomp)]
    internal void RoundTrips_WhenPacketAcknowledges(byte firstByte, PacketType type)
    {
        var to = new byte[MqttCodec.MaxAcknowledgementBytes];
        Assert.Equal(4, V3Codec.Instance.WriteAcknowledgement(type, 0xABCD, ReasonCode.QuotaExceeded, to));
        Assert.Equal([firstByte, 2, 0xAB, 0xCD], to[..4]);
        Assert.Equal(new ReadAcknowledgement(type, 0xABCD, ReasonCode.Success), Wire.Read(V3Codec.Instance, to.AsSpan(0, 4)));
    }

    [Theory]
    [InlineData(0x40)]
    [InlineData(0x50)]
    [InlineData(0x62)]
    [InlineData(0x70)]
    public void IsRefused_WhenAcknowledgementIsWrong(byte firstByte)
    {
        Wire.Refused(ReasonCode.ProtocolError, V3Codec.Instance, firstByte, [0, 0]);
        Wire.Refused(ReasonCode.MalformedPacket, V3Codec.Instance, firstByte, [0]);
        Wire.Refused(ReasonCode.MalformedPacket, V3Codec.Instance, firstByte, []);
        Wire.Refused(ReasonCode.MalformedPacket, V3Codec.Instance, firstByte, [0, 1, 0]);
        Wire.Refused(ReasonCode.MalformedPacket, V3Codec.Instance, (byte)(firstByte ^ 1), [0, 1]);
    }

    [Theory]
    [InlineData(0x6A, PacketType.Pubrel)]
    [InlineData(0x8A, PacketType.Subscribe)]
    [InlineData(0xAA, PacketType.Unsubscribe)]
    internal void AllowsDupIn31Only_WhenPacketIsRepeated(byte firstByte, PacketType type)
    {
        var body = Wire.Body(w =>
        {
            w.UInt16(7);
            if (type != PacketType.Pubrel) w.Text("a");
            if (type == PacketType.Subscribe) w.Bytes(1);
        });
        Assert.NotNull(Wire.Read(V3Codec.InstanceV31, firstByte, body));
        Wire.Refused(ReasonCode.MalformedPacket, V3Codec.Instance, firstByte, body);
    }

    [Fact]
    public void ReadsSubscribe_WhenItHasSeveralFilters()
    {
        var body = Wire.Body(w => w.UInt16(7).Text("a/+").Bytes(0).Text("#").Bytes(1).Text("a/b#").Bytes(2));

        var read = Assert.IsType<SubscribePacket>(Wire.Read(V3Codec.Instance, 0x82, body));

        Assert.Equal(7, read.PacketIdentifier);
        Assert.Equal(
            [
                new SubscriptionRequest("a/+", new SubscriptionOptions(Qos.AtMostOnce)),
                new SubscriptionRequest("#", new SubscriptionOptions(Qos.AtLeastOnce)),
                new SubscriptionRequest("a/b#", new SubscriptionOptions(Qos.ExactlyOnce)), // answered in SUBACK, not here
            ],
            read.Requests);
    }

    [Fact]
    [Clause("3.1.1 MQTT-3.8.3-3")]
    [Clause("3.1.1 MQTT-3.8.3-4")]
    public void IsRefused_WhenSubscribeIsWrong()
    {
        Refused(ReasonCode.ProtocolError, w => w.UInt16(7));
        Refused(ReasonCode.ProtocolError, w => w.UInt16(0).Text("a").Bytes(0));
        Refused(ReasonCode.TopicFilterInvalid, w => w.UInt16(7).Text("").Bytes(0));
        Refused(ReasonCode.MalformedPacket, w => w.UInt16(7).Text("a"));
        Refused(ReasonCode.MalformedPacket, w => w.UInt16(7).Text("a").Bytes(0, 0));
        Refused(ReasonCode.MalformedPacket, w => w.UInt16(7).Binary(0xFF).Bytes(0));
        for (var options = 3; options < 256; options++)
        {
            var bad = (byte)options;
            Refused(ReasonCode.MalformedPacket, w => w.UInt16(7).Text("a").Bytes(bad));
        }

        static void Refused(ReasonCode code, Action<Wire> write) => Wire.Refused(code, V3Codec.Instance, 0x82, Wire.Body(write));
    }

    [Fact]
    [Clause("3.1.1 MQTT-3.10.3-2")]
    public void ReadsOrRefusesUnsubscribe_WhenFiltersVary()
    {
        var read = Assert.IsType<UnsubscribePacket>(Wire.Read(V3Codec.Instance, 0xA2, Wire.Body(w => w.UInt16(7).Text("a/+").Text("#"))));
        Assert.Equal(7, read.PacketIdentifier);
        Assert.Equal(["a/+", "#"], read.Filters);

        Wire.Refused(ReasonCode.ProtocolError, V3Codec.Instance, 0xA2, Wire.Body(w => w.UInt16(7)));
        Wire.Refused(ReasonCode.ProtocolError, V3Codec.Instance, 0xA2, Wire.Body(w => w.UInt16(0).Text("a")));
        Wire.Refused(ReasonCode.TopicFilterInvalid, V3Codec.Instance, 0xA2, Wire.Body(w => w.UInt16(7).Text("")));
        Wire.Refused(ReasonCode.MalformedPacket, V3Codec.Instance, 0xA2, Wire.Body(w => w.UInt16(7).Text("a").Bytes(0)));
    }

    [Fact]
    public void ReadsEmptyPackets_WhenTheyAreEmpty()
    {
        Assert.Same(PingreqPacket.Instance, Wire.Read(V3Codec.Instance, 0xC0, []));
        Assert.Equal(ReasonCode.Success, Assert.IsType<DisconnectPacket>(Wire.Read(V3Codec.Instance, 0xE0, [])).Code);
        Wire.Refused(ReasonCode.MalformedPacket, V3Codec.Instance, 0xC0, [0]);
        Wire.Refused(ReasonCode.MalformedPacket, V3Codec.Instance, 0xE0, [0]);
    }

    [Theory]
    [Clause("MQTT-3.1.0-2")]
    [InlineData(0x10)] // second CONNECT
    [InlineData(0x20)]
    [InlineData(0x90)]
    [InlineData(0xB0)]
    [InlineData(0xD0)]
    [InlineData(0xF0)]
    public void IsProtocolError_WhenAClientMayNotSendIt(byte firstByte) => Wire.Refused(ReasonCode.ProtocolError, V3Codec.Instance, firstByte, [0, 1]);

    [Theory]
    [Clause("3.1.1 MQTT-3.2.2-4")]
    [InlineData(ReasonCode.Success, 0)]
    [InlineData(ReasonCode.UnsupportedProtocolVersion, 1)]
    [InlineData(ReasonCode.ClientIdentifierNotValid, 2)]
    [InlineData(ReasonCode.ServerUnavailable, 3)]
    [InlineData(ReasonCode.ServerBusy, 3)]
    [InlineData(ReasonCode.QuotaExceeded, 3)]
    [InlineData(ReasonCode.BadUserNameOrPassword, 4)]
    [InlineData(ReasonCode.NotAuthorized, 5)]
    [InlineData(ReasonCode.Banned, 5)]
    public void MapsCode_WhenConnackIsWritten(ReasonCode code, byte expected)
    {
        var packet = new ConnackPacket { Code = code, SessionPresent = true, ReasonString = "dropped", UserProperties = [new("a", "b")] };
        Assert.Equal([0x20, 2, (byte)(expected == 0 ? 1 : 0), expected], Wire.Written(V3Codec.Instance, packet));
        Assert.Equal([0x20, 2, 0, expected], Wire.Written(V3Codec.InstanceV31, packet));
    }

    [Fact]
    [Clause("3.1.1 MQTT-3.9.3-2")]
    public void WritesBareAnswers_WhenTheyHaveProperties()
    {
        ReasonCode[] codes = [ReasonCode.Success, ReasonCode.GrantedQos1, ReasonCode.GrantedQos2, ReasonCode.NotAuthorized, ReasonCode.UnspecifiedError];
        Assert.Equal([0x90, 7, 1, 2, 0, 1, 2, 0x80, 0x80], Wire.Written(V3Codec.Instance, new SubackPacket(258, codes, "why")));
        Assert.Equal([0xB0, 2, 1, 2], Wire.Written(V3Codec.Instance, new UnsubackPacket(258, codes, "why")));
        Assert.Equal([0xD0, 0], Wire.Written(V3Codec.Instance, PingrespPacket.Instance));
    }

    [Fact]
    public void Throws_WhenVersionHasNoSuchPacket()
    {
        Assert.Throws<InvalidOperationException>(() => V3Codec.Instance.Measure(new DisconnectPacket(ReasonCode.Success)));
        Assert.Throws<InvalidOperationException>(() => V3Codec.Instance.Write(new AuthPacket(ReasonCode.Success), new byte[10]));
    }

    [Fact]
    public void IsTheOneOfItsVersion_WhenAskedFor()
    {
        Assert.Same(V3Codec.InstanceV31, MqttCodec.For(ProtocolVersion.V31));
        Assert.Same(V3Codec.Instance, MqttCodec.For(ProtocolVersion.V311));
        Assert.Same(Broker.Gateway.Mqtt.Codec.V5.V5Codec.Instance, MqttCodec.For(ProtocolVersion.V5));
    }
}
