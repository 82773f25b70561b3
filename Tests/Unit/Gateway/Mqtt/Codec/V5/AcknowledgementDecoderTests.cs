using Broker.Gateway.Mqtt.Codec;
using Broker.Gateway.Mqtt.Codec.V5;
using Broker.Gateway.Mqtt.Packets;
using Broker.Grains.Interfaces.Messages;
using Xunit;

namespace Broker.Tests.Unit.Gateway.Mqtt.Codec.V5;

public class AcknowledgementDecoderTests
{
    private static readonly byte[] ReceiptCodes = [0x00, 0x10, 0x80, 0x83, 0x87, 0x90, 0x91, 0x97, 0x99];
    private static readonly byte[] ReleaseCodes = [0x00, 0x92];

    [Theory]
    [Clause("MQTT-3.4.2-1")]
    [Clause("MQTT-3.5.2-1")]
    [Clause("MQTT-3.6.2-1")]
    [Clause("MQTT-3.7.2-1")]
    [InlineData(0x40)]
    [InlineData(0x50)]
    [InlineData(0x62)]
    [InlineData(0x70)]
    public void RoundTrips_WhenCodeIsAllowed(byte firstByte)
    {
        var type = FixedHeader.Type(firstByte);
        var allowed = type is PacketType.Puback or PacketType.Pubrec ? ReceiptCodes : ReleaseCodes;
        var to = new byte[MqttCodec.MaxAcknowledgementBytes];
        for (var value = 0; value < 256; value++)
        {
            var code = (ReasonCode)value;
            var size = V5Codec.Instance.WriteAcknowledgement(type, 0xABCD, code, to);
            Assert.Equal(value == 0 ? [firstByte, 2, 0xAB, 0xCD] : [firstByte, 3, 0xAB, 0xCD, (byte)value], to[..size]);
            if (allowed.Contains((byte)value))
            {
                var expected = new ReadAcknowledgement(type, 0xABCD, code);
                Assert.Equal(expected, Wire.Read(V5Codec.Instance, to.AsSpan(0, size)));
                byte[] longForm = [0xAB, 0xCD, (byte)value, 0];
                Assert.Equal(expected, Wire.Read(V5Codec.Instance, firstByte, longForm));
            }
            else
            {
                Wire.Refused(ReasonCode.ProtocolError, V5Codec.Instance, firstByte, [0xAB, 0xCD, (byte)value]);
            }
        }
    }

    [Fact]
    public void SkipsProperties_WhenTheyAreRight()
    {
        var body = Wire.Body(w => w.UInt16(7).Bytes(0x87).Properties(p => p.Bytes(38).Text("a").Text("b").Bytes(31).Text("why").Bytes(38).Text("a").Text("b")));
        Assert.Equal(new ReadAcknowledgement(PacketType.Puback, 7, ReasonCode.NotAuthorized), Wire.Read(V5Codec.Instance, 0x40, body));
    }

    [Theory]
    [Clause("MQTT-3.6.1-1")]
    [InlineData(0x40, "0000", ReasonCode.ProtocolError)]
    [InlineData(0x62, "000000", ReasonCode.ProtocolError)]
    [InlineData(0x40, "", ReasonCode.MalformedPacket)]
    [InlineData(0x40, "01", ReasonCode.MalformedPacket)]
    [InlineData(0x60, "0001", ReasonCode.MalformedPacket)]
    [InlineData(0x6A, "0001", ReasonCode.MalformedPacket)]
    [InlineData(0x42, "0001", ReasonCode.MalformedPacket)]
    [InlineData(0x40, "00010001", ReasonCode.MalformedPacket)] // property length overruns
    [InlineData(0x40, "0001000000", ReasonCode.MalformedPacket)] // bytes follow
    [InlineData(0x40, "0001000180", ReasonCode.MalformedPacket)]
    [InlineData(0x40, "000100021F00", ReasonCode.MalformedPacket)]
    [InlineData(0x40, "000100041F0001FF", ReasonCode.MalformedPacket)]
    [InlineData(0x40, "00010006260001FF0000", ReasonCode.MalformedPacket)]
    [InlineData(0x40, "000100020101", ReasonCode.MalformedPacket)] // not for this packet
    [InlineData(0x40, "000100061F00001F0000", ReasonCode.ProtocolError)] // reason string twice
    public void IsRefused_WhenItIsWrong(byte firstByte, string body, ReasonCode code) =>
        Wire.Refused(code, V5Codec.Instance, firstByte, Convert.FromHexString(body));
}
