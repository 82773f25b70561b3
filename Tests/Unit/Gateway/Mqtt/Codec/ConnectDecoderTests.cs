using System.Text;
using Broker.Gateway.Mqtt.Codec;
using Broker.Gateway.Mqtt.Packets;
using Broker.Grains.Interfaces.Messages;
using Xunit;

namespace Broker.Tests.Unit.Gateway.Mqtt.Codec;

public class ConnectDecoderTests
{
    private const byte Clean = 0x02;
    private const byte Will = 0x04;
    private const byte UserName = 0x80;
    private const byte Password = 0x40;

    [Theory]
    [InlineData("MQIsdp", 3, ProtocolVersion.V31)]
    [InlineData("MQIsdp", 0x83, ProtocolVersion.V31)]
    [InlineData("MQTT", 4, ProtocolVersion.V311)]
    [InlineData("MQTT", 0x84, ProtocolVersion.V311)]
    [InlineData("MQTT", 5, ProtocolVersion.V5)]
    internal void ReadsVersion_WhenNameAndLevelAreKnown(string name, byte level, ProtocolVersion version)
    {
        var packet = ConnectDecoder.Decode(Start(name, level, Clean).Text("id").ToArray());

        Assert.Equal(version, packet.Version);
        Assert.Equal("id", packet.ClientId);
        Assert.True(packet.CleanStart);
        Assert.Equal(60, packet.KeepAlive);
        Assert.Null(packet.Will);
        Assert.Null(packet.UserName);
        Assert.Null(packet.Password);
        Assert.Equal(65_535, packet.ReceiveMaximum);
        Assert.True(packet.RequestProblemInformation);
        Assert.Empty(packet.UserProperties);
    }

    [Theory]
    [Clause("MQTT-3.1.2-2")]
    [InlineData("MQTT", 6, ProtocolVersion.V5)]
    [InlineData("MQTT", 3, ProtocolVersion.V311)]
    [InlineData("MQTT", 0x85, ProtocolVersion.V5)]
    [InlineData("MQIsdp", 4, ProtocolVersion.V31)]
    internal void IsUnsupportedVersion_WhenLevelIsUnknown(string name, byte level, ProtocolVersion form) =>
        Refused(ReasonCode.UnsupportedProtocolVersion, form, Start(name, level, Clean).Text("id"));

    [Theory]
    [Clause("MQTT-3.1.2-1")]
    [InlineData("mqtt")]
    [InlineData("MQTTX")]
    [InlineData("")]
    public void IsUnsupportedVersion_WhenNameIsUnknown(string name) =>
        Refused(ReasonCode.UnsupportedProtocolVersion, null, Start(name, 4, Clean).Text("id"));

    [Fact]
    [Clause("MQTT-3.1.2-3")]
    public void IsMalformed_WhenReservedFlagIsSet()
    {
        Refused(ReasonCode.MalformedPacket, ProtocolVersion.V311, Start("MQTT", 4, Clean | 1).Text("id"));
        Refused(ReasonCode.MalformedPacket, ProtocolVersion.V5, Start("MQTT", 5, Clean | 1).Text("id"));
    }

    [Theory]
    [Clause("MQTT-3.1.2-11")]
    [Clause("MQTT-3.1.2-12")]
    [Clause("MQTT-3.1.2-13")]
    [InlineData(0x08)]
    [InlineData(0x10)]
    [InlineData(0x20)]
    [InlineData(Will | 0x18)]
    public void IsMalformed_WhenWillFlagsDisagree(byte flags)
    {
        Refused(ReasonCode.MalformedPacket, ProtocolVersion.V311, Start("MQTT", 4, flags).Text("id").Text("t").Text("p"));
        Refused(ReasonCode.MalformedPacket, ProtocolVersion.V5, Start("MQTT", 5, flags).Text("id").Bytes(0).Text("t").Text("p"));
    }

    [Fact]
    [Clause("3.1.1 MQTT-3.1.2-22")]
    public void DependsOnVersion_WhenPasswordComesWithoutUserName()
    {
        Refused(ReasonCode.MalformedPacket, ProtocolVersion.V311, Start("MQTT", 4, Password).Text("id").Text("secret"));
        var packet = ConnectDecoder.Decode(Start("MQTT", 5, Password).Text("id").Binary(0, 255).ToArray());
        Assert.Null(packet.UserName);
        Assert.Equal([0, 255], packet.Password);
    }

    [Fact]
    public void LetsFieldsBeMissing_WhenVersionIs31()
    {
        var packet = ConnectDecoder.Decode(Start("MQIsdp", 3, UserName | Password).Text("id").ToArray());
        Assert.Null(packet.UserName);
        Assert.Null(packet.Password);
        Refused(ReasonCode.MalformedPacket, ProtocolVersion.V311, Start("MQTT", 4, UserName).Text("id"));
    }

    [Theory]
    [InlineData(3)]
    [InlineData(4)]
    [InlineData(5)]
    public void IsMalformed_WhenBytesFollow(byte level) =>
        Refused(ReasonCode.MalformedPacket, (ProtocolVersion)level, Start(level == 3 ? "MQIsdp" : "MQTT", level, Clean).Text("id").Bytes(0));

    [Fact]
    public void IsLetThrough_WhenClientIdIsEmptyAndSessionIsKept() =>
        Assert.Equal("", ConnectDecoder.Decode(Start("MQTT", 4, 0).Text("").ToArray()).ClientId);

    [Theory]
    [Clause("MQTT-1.5.4-1")]
    [Clause("MQTT-1.5.4-2")]
    [Clause("MQTT-3.1.3-4")]
    [InlineData("61C0AF")] // overlong
    [InlineData("EDA080")] // surrogate
    [InlineData("610062")] // NUL
    [InlineData("F4908080")] // over U+10FFFF
    [InlineData("E282")] // cut off
    public void IsMalformed_WhenTextIsNotUtf8(string hex)
    {
        var bad = Convert.FromHexString(hex);
        Refused(ReasonCode.MalformedPacket, ProtocolVersion.V311, Start("MQTT", 4, Clean).Binary(bad));
        Refused(ReasonCode.MalformedPacket, ProtocolVersion.V311, Start("MQTT", 4, UserName).Text("id").Binary(bad));
        Refused(ReasonCode.MalformedPacket, ProtocolVersion.V311, Start("MQTT", 4, Will).Text("id").Binary(bad).Text(""));
        Refused(ReasonCode.MalformedPacket, ProtocolVersion.V5, Properties(p => p.Bytes(21).Binary(bad)));
        Refused(ReasonCode.MalformedPacket, ProtocolVersion.V5, Properties(p => p.Bytes(38).Text("name").Binary(bad)));
        Refused(ReasonCode.MalformedPacket, ProtocolVersion.V5, Properties(p => p.Bytes(38).Binary(bad).Text("value")));
    }

    [Fact]
    [Clause("MQTT-1.5.4-3")]
    public void KeepsByteOrderMark_WhenTextBeginsWithIt() =>
        Assert.Equal("\uFEFFid", ConnectDecoder.Decode(Start("MQTT", 4, Clean).Binary(0xEF, 0xBB, 0xBF, (byte)'i', (byte)'d').ToArray()).ClientId);

    [Theory]
    [Clause("MQTT-3.1.3-11")]
    [InlineData("")]
    [InlineData("a/+")]
    [InlineData("#")]
    public void IsTopicNameInvalid_WhenWillTopicIsNoTopicName(string topic) =>
        Refused(ReasonCode.TopicNameInvalid, ProtocolVersion.V311, Start("MQTT", 4, Will).Text("id").Text(topic).Text("p"));

    [Fact]
    public void IsPayloadFormatInvalid_WhenWillIsNotTheTextItClaimsToBe()
    {
        byte[] Body(params byte[] payload) => Start("MQTT", 5, Will).Text("id").Properties(p => p.Bytes(1, 1)).Text("t").Binary(payload).ToArray();
        Assert.True(ConnectDecoder.Decode(Body(Encoding.UTF8.GetBytes("grün"))).Will!.Properties!.IsText);
        var refusal = Assert.Throws<MalformedPacketException>(() => ConnectDecoder.Decode(Body(0xFF)));
        Assert.Equal((ReasonCode.PayloadFormatInvalid, ProtocolVersion.V5), (refusal.Code, refusal.Version));
    }

    [Theory]
    [InlineData("210000")] // receive maximum 0
    [InlineData("2700000000")] // maximum packet size 0
    [InlineData("1702")] // request problem information
    [InlineData("1902")] // request response information
    [InlineData("16000101")] // data without method
    [InlineData("11000000011100000001")]
    [InlineData("210001210001")]
    [InlineData("27000000012700000001")]
    [InlineData("220001220001")]
    [InlineData("17001700")]
    [InlineData("19001900")]
    [InlineData("15000161150001611600")]
    [InlineData("150001611600001600 00")]
    public void IsProtocolError_WhenPropertyIsOutOfRangeOrRepeated(string hex) =>
        Refused(ReasonCode.ProtocolError, ProtocolVersion.V5, Properties(p => p.Bytes(Convert.FromHexString(hex.Replace(" ", "")))));

    [Theory]
    [InlineData("0102")] // payload format
    [InlineData("01000100")]
    [InlineData("02000000010200000001")]
    [InlineData("18000000001800000000")]
    [InlineData("030001610300 0161")]
    [InlineData("0800016108000161")]
    [InlineData("080000")] // empty response topic
    [InlineData("08000123")] // wildcard
    [InlineData("090000090000")]
    public void IsProtocolError_WhenWillPropertyIsOutOfRangeOrRepeated(string hex) => Refused(
        ReasonCode.ProtocolError,
        ProtocolVersion.V5,
        Start("MQTT", 5, Will).Text("id").Properties(p => p.Bytes(Convert.FromHexString(hex.Replace(" ", "")))).Text("t").Text("p"));

    [Theory]
    [InlineData("0100")] // payload format indicator
    [InlineData("230001")] // topic alias
    [InlineData("1800000001")] // will delay interval
    [InlineData("7F00")] // unknown
    [InlineData("80")] // unknown
    [InlineData("00")] // unknown
    [InlineData("1100")] // cut off
    public void IsMalformed_WhenPropertyDoesNotBelong(string hex) =>
        Refused(ReasonCode.MalformedPacket, ProtocolVersion.V5, Properties(p => p.Bytes(Convert.FromHexString(hex))));

    [Fact]
    public void IsMalformed_WhenPropertyLengthOverruns() =>
        Refused(ReasonCode.MalformedPacket, ProtocolVersion.V5, new Wire().Text("MQTT").Bytes(5, Clean).UInt16(60).Bytes(100).Text("id"));

    private static Wire Start(string name, byte level, byte flags)
    {
        var wire = new Wire().Text(name).Bytes(level, flags).UInt16(60);
        return level == 5 && name == "MQTT" ? wire.Bytes(0) : wire;
    }

    private static Wire Properties(Action<Wire> write) => new Wire().Text("MQTT").Bytes(5, Clean).UInt16(60).Properties(write).Text("id");

    private static void Refused(ReasonCode code, ProtocolVersion? version, Wire body)
    {
        var bytes = body.ToArray();
        var refusal = Assert.Throws<MalformedPacketException>(() => ConnectDecoder.Decode(bytes));
        Assert.Equal((code, version), (refusal.Code, refusal.Version));
    }
}
