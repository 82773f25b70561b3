using System.Text;
using Broker.Gateway.Mqtt.Codec.V3;
using Broker.Grains.Interfaces.Messages;
using Xunit;

namespace Broker.Tests.Unit.Gateway.Mqtt.Codec.V3;

public class PublishDecoderTests
{
    [Theory]
    [InlineData(0x30, Qos.AtMostOnce, false, false, 0)]
    [InlineData(0x31, Qos.AtMostOnce, true, false, 0)]
    [InlineData(0x32, Qos.AtLeastOnce, false, false, 1)]
    [InlineData(0x3B, Qos.AtLeastOnce, true, true, 258)]
    [InlineData(0x3C, Qos.ExactlyOnce, false, true, 65_535)]
    public void ReadsEveryField_WhenFlagsVary(byte firstByte, Qos qos, bool retain, bool dup, int packetIdentifier)
    {
        var body = Wire.Body(w =>
        {
            w.Text("a/ü");
            if (packetIdentifier != 0) w.UInt16(packetIdentifier);
            w.Bytes(1, 2, 3);
        });

        var read = Assert.IsType<ReadPublish>(Wire.Read(V3Codec.Instance, firstByte, body));

        Assert.Equal("a/ü", Encoding.UTF8.GetString(read.Topic));
        Assert.Equal([1, 2, 3], read.Payload);
        Assert.Equal((qos, retain, dup, packetIdentifier), (read.Qos, read.Retain, read.Dup, (int)read.PacketIdentifier));
        Assert.Equal((0, null, null), ((int)read.TopicAlias, read.MessageExpiryInterval, read.Properties));
    }

    [Fact]
    public void ReadsEmptyPayload_WhenNothingFollowsTheHeader() =>
        Assert.Empty(Assert.IsType<ReadPublish>(Wire.Read(V3Codec.Instance, 0x30, Wire.Body(w => w.Text("t")))).Payload);

    [Theory]
    [Clause("MQTT-3.3.1-2")]
    [Clause("MQTT-3.3.1-4")]
    [InlineData(0x36)]
    [InlineData(0x37)]
    [InlineData(0x3E)]
    [InlineData(0x38)]
    [InlineData(0x39)]
    public void IsMalformed_WhenFlagsAreWrong(byte firstByte) =>
        Wire.Refused(ReasonCode.MalformedPacket, V3Codec.Instance, firstByte, Wire.Body(w => w.Text("t").UInt16(1)));

    [Fact]
    [Clause("3.1.1 MQTT-2.3.1-1")]
    public void IsProtocolError_WhenPacketIdentifierIsZero() =>
        Wire.Refused(ReasonCode.ProtocolError, V3Codec.Instance, 0x32, Wire.Body(w => w.Text("t").UInt16(0)));

    [Fact]
    [Clause("3.1.1 MQTT-4.7.3-1")]
    public void IsMalformed_WhenTopicIsEmpty() =>
        Wire.Refused(ReasonCode.MalformedPacket, V3Codec.Instance, 0x30, Wire.Body(w => w.Text("").Bytes(1)));

    [Theory]
    [InlineData(0x30, "")]
    [InlineData(0x30, "00")]
    [InlineData(0x30, "000261")]
    [InlineData(0x30, "FFFF61")]
    [InlineData(0x32, "000161")]
    [InlineData(0x32, "00016100")]
    public void IsMalformed_WhenHeaderIsCutOff(byte firstByte, string body) =>
        Wire.Refused(ReasonCode.MalformedPacket, V3Codec.Instance, firstByte, Convert.FromHexString(body));
}
