using Broker.Gateway.Mqtt.Codec.V5;
using Broker.Grains.Interfaces.Messages;
using Xunit;

namespace Broker.Tests.Unit.Gateway.Mqtt.Codec.V5;

public class PublishDecoderTests
{
    [Fact]
    [Clause("MQTT-3.3.2-17")]
    public void ReadsEveryField_WhenEverythingIsThere()
    {
        var body = Wire.Body(w => w.Text("a/b").UInt16(258).Properties(p => p
            .Bytes(38).Text("k").Text("1")
            .Bytes(1, 1)
            .Bytes(2).UInt32(uint.MaxValue)
            .Bytes(35).UInt16(9)
            .Bytes(8).Text("answer/here")
            .Bytes(38).Text("k").Text("2")
            .Bytes(9).Binary(0, 255)
            .Bytes(3).Text("text/plain")
            .Bytes(38).Text("").Text("")).Bytes(1, 2, 3));

        var read = Assert.IsType<ReadPublish>(Wire.Read(V5Codec.Instance, 0x3B, body));

        Assert.Equal("a/b"u8.ToArray(), read.Topic);
        Assert.Equal([1, 2, 3], read.Payload);
        Assert.Equal((Qos.AtLeastOnce, true, true, 258, 9), (read.Qos, read.Retain, read.Dup, read.PacketIdentifier, read.TopicAlias));
        Assert.Equal(uint.MaxValue, read.MessageExpiryInterval);
        Assert.True(read.Properties!.IsText);
        Assert.Equal(("answer/here", "text/plain"), (read.Properties.ResponseTopic, read.Properties.ContentType));
        Assert.Equal([0, 255], read.Properties.CorrelationData);
        Assert.Equal([new("k", "1"), new("k", "2"), new("", "")], read.Properties.User);
    }

    [Fact]
    public void CarriesNoProperties_WhenNoneIsTheMessagesOwn()
    {
        var bare = Assert.IsType<ReadPublish>(Wire.Read(V5Codec.Instance, 0x30, Wire.Body(w => w.Text("t").Bytes(0, 7))));
        Assert.Null(bare.Properties);
        Assert.Equal([7], bare.Payload);

        var onTheWay = Wire.Body(w => w.Text("t").Properties(p => p.Bytes(35, 0, 1).Bytes(2, 0, 0, 0, 5).Bytes(1, 0)));
        Assert.Null(Assert.IsType<ReadPublish>(Wire.Read(V5Codec.Instance, 0x30, onTheWay)).Properties);
    }

    [Fact]
    public void LeavesPayloadUnchecked_WhenItClaimsToBeText()
    {
        var body = Wire.Body(w => w.Text("t").Properties(p => p.Bytes(1, 1)).Bytes(0xFF));
        Assert.True(Assert.IsType<ReadPublish>(Wire.Read(V5Codec.Instance, 0x30, body)).Properties!.IsText);
    }

    [Fact]
    public void LeavesTopicUnchecked_WhenItIsNoTopicName()
    {
        byte[] topic = [0xFF, (byte)'+', 0];
        var body = Wire.Body(w => w.Binary(topic).Bytes(0));
        Assert.Equal(topic, Assert.IsType<ReadPublish>(Wire.Read(V5Codec.Instance, 0x30, body)).Topic);
    }

    [Fact]
    public void NeedsAliasOrTopic_WhenTopicIsEmpty()
    {
        var aliased = Assert.IsType<ReadPublish>(Wire.Read(V5Codec.Instance, 0x30, Wire.Body(w => w.Text("").Bytes(3, 35, 0, 1))));
        Assert.Empty(aliased.Topic);
        Assert.Equal(1, aliased.TopicAlias);

        Wire.Refused(ReasonCode.ProtocolError, V5Codec.Instance, 0x30, Wire.Body(w => w.Text("").Bytes(0)));
        Wire.Refused(ReasonCode.ProtocolError, V5Codec.Instance, 0x30, Wire.Body(w => w.Text("").Bytes(2, 1, 1)));
    }

    [Theory]
    [Clause("MQTT-3.3.1-2")]
    [Clause("MQTT-3.3.1-4")]
    [InlineData(0x36)]
    [InlineData(0x3F)]
    [InlineData(0x38)]
    public void IsMalformed_WhenFlagsAreWrong(byte firstByte) =>
        Wire.Refused(ReasonCode.MalformedPacket, V5Codec.Instance, firstByte, Wire.Body(w => w.Text("t").UInt16(1).Bytes(0)));

    [Fact]
    [Clause("MQTT-2.2.1-3")]
    public void IsProtocolError_WhenPacketIdentifierIsZero() =>
        Wire.Refused(ReasonCode.ProtocolError, V5Codec.Instance, 0x34, Wire.Body(w => w.Text("t").UInt16(0).Bytes(0)));

    [Theory]
    [Clause("MQTT-3.3.2-8")]
    [Clause("MQTT-3.3.2-14")]
    [Clause("MQTT-3.3.4-6")]
    [InlineData("230000", ReasonCode.TopicAliasInvalid)]
    [InlineData("230001230001", ReasonCode.ProtocolError)]
    [InlineData("0B01", ReasonCode.ProtocolError)] // subscription identifier from a client
    [InlineData("0102", ReasonCode.ProtocolError)]
    [InlineData("01010101", ReasonCode.ProtocolError)]
    [InlineData("02000000010200000001", ReasonCode.ProtocolError)]
    [InlineData("0300016103000161", ReasonCode.ProtocolError)]
    [InlineData("0800016108000161", ReasonCode.ProtocolError)]
    [InlineData("090000090000", ReasonCode.ProtocolError)]
    [InlineData("080003612F2B", ReasonCode.ProtocolError)] // a/+
    [InlineData("080003612F23", ReasonCode.ProtocolError)] // a/#
    [InlineData("080000", ReasonCode.ProtocolError)]
    [InlineData("080001FF", ReasonCode.MalformedPacket)]
    [InlineData("030002C080", ReasonCode.MalformedPacket)]
    [InlineData("26000100000161", ReasonCode.MalformedPacket)] // NUL in a name
    [InlineData("2600016100", ReasonCode.MalformedPacket)]
    [InlineData("1100000001", ReasonCode.MalformedPacket)] // session expiry interval
    [InlineData("1800000001", ReasonCode.MalformedPacket)] // will delay interval
    [InlineData("04", ReasonCode.MalformedPacket)]
    [InlineData("8100", ReasonCode.MalformedPacket)]
    [InlineData("FF", ReasonCode.MalformedPacket)]
    [InlineData("020000", ReasonCode.MalformedPacket)]
    public void IsRefused_WhenPropertyIsWrong(string hex, ReasonCode code) =>
        Wire.Refused(code, V5Codec.Instance, 0x30, Wire.Body(w => w.Text("t").Properties(p => p.Bytes(Convert.FromHexString(hex))).Bytes(1, 2, 3, 4, 5)));

    [Theory]
    [InlineData(0x30, "000174")] // no property length
    [InlineData(0x30, "0001740501")]
    [InlineData(0x30, "000174FF")]
    [InlineData(0x30, "000174FFFFFFFF7F")]
    [InlineData(0x30, "0001748000")]
    [InlineData(0x32, "0001740001")]
    [InlineData(0x32, "00017400")]
    [InlineData(0x30, "00")]
    public void IsMalformed_WhenHeaderIsCutOff(byte firstByte, string body) =>
        Wire.Refused(ReasonCode.MalformedPacket, V5Codec.Instance, firstByte, Convert.FromHexString(body));
}
