using Broker.Gateway.Mqtt.Codec.V5;
using Broker.Gateway.Mqtt.Packets;
using Broker.Grains.Interfaces.Messages;
using Broker.Grains.Interfaces.Sessions;
using Xunit;

namespace Broker.Tests.Unit.Gateway.Mqtt.Codec.V5;

public class SubscribeDecoderTests
{
    [Fact]
    public void ReadsEveryField_WhenEverythingIsThere()
    {
        var body = Wire.Body(w => w.UInt16(7)
            .Properties(p => p.Bytes(38).Text("a").Text("b").Bytes(11, 0xFF, 0xFF, 0xFF, 0x7F).Bytes(38).Text("a").Text("c"))
            .Text("a/+").Bytes(0)
            .Text("#").Bytes(0b0010_1110)
            .Text("$share/g/a").Bytes(0b0001_0001));

        var read = Assert.IsType<SubscribePacket>(Wire.Read(V5Codec.Instance, 0x82, body));

        Assert.Equal(7, read.PacketIdentifier);
        Assert.Equal([new("a", "b"), new("a", "c")], read.UserProperties);
        Assert.Equal(
            [
                new SubscriptionRequest("a/+", new SubscriptionOptions(Qos.AtMostOnce, Identifier: 268_435_455)),
                new SubscriptionRequest("#", new SubscriptionOptions(Qos.ExactlyOnce, true, true, RetainHandling.DoNotSend, 268_435_455)),
                new SubscriptionRequest("$share/g/a", new SubscriptionOptions(Qos.AtLeastOnce, false, false, RetainHandling.SendIfNew, 268_435_455)),
            ],
            read.Requests);
    }

    [Fact]
    public void ReadsOrRefusesEveryOptionsByte_WhenItVaries()
    {
        for (var value = 0; value < 256; value++)
        {
            var options = (byte)value;
            var body = Wire.Body(w => w.UInt16(7).Bytes(0).Text("a").Bytes(options));
            if (value >= 0x40)
            {
                Wire.Refused(ReasonCode.MalformedPacket, V5Codec.Instance, 0x82, body); // [MQTT-3.8.3-5]
            }
            else if ((value & 3) == 3 || (value & 0x30) == 0x30)
            {
                Wire.Refused(ReasonCode.ProtocolError, V5Codec.Instance, 0x82, body);
            }
            else
            {
                var expected = new SubscriptionOptions((Qos)(value & 3), (value & 4) != 0, (value & 8) != 0, (RetainHandling)(value >> 4));
                Assert.Equal(expected, Assert.Single(Assert.IsType<SubscribePacket>(Wire.Read(V5Codec.Instance, 0x82, body)).Requests).Options);
            }
        }
    }

    [Theory]
    [Clause("MQTT-3.8.3-4")]
    [InlineData("$share/g/a")]
    [InlineData("$queue/a")]
    public void IsProtocolError_WhenSharedSubscriptionIsNoLocal(string filter) =>
        Wire.Refused(ReasonCode.ProtocolError, V5Codec.Instance, 0x82, Wire.Body(w => w.UInt16(7).Bytes(0).Text(filter).Bytes(0b0100)));

    [Theory]
    [Clause("MQTT-2.2.1-3")]
    [Clause("MQTT-3.8.1-1")]
    [Clause("MQTT-3.8.3-1")]
    [Clause("MQTT-3.8.3-2")]
    [InlineData(0x82, "000700", ReasonCode.ProtocolError)] // no filter
    [InlineData(0x82, "0000000001610 0", ReasonCode.ProtocolError)]
    [InlineData(0x82, "0007020B0000016100", ReasonCode.ProtocolError)] // identifier 0
    [InlineData(0x82, "0007040B010B0100016100", ReasonCode.ProtocolError)] // identifier twice
    [InlineData(0x82, "0007060BFFFFFFFF0100016100", ReasonCode.MalformedPacket)]
    [InlineData(0x82, "0007021F0000016100", ReasonCode.MalformedPacket)] // reason string
    [InlineData(0x82, "000700000000", ReasonCode.TopicFilterInvalid)]
    [InlineData(0x82, "00070000016 1", ReasonCode.MalformedPacket)] // no options
    [InlineData(0x82, "0007000001FF00", ReasonCode.MalformedPacket)]
    [InlineData(0x82, "00070000010000", ReasonCode.MalformedPacket)]
    [InlineData(0x82, "0007", ReasonCode.MalformedPacket)]
    [InlineData(0x80, "00070000016100", ReasonCode.MalformedPacket)]
    [InlineData(0x8A, "00070000016100", ReasonCode.MalformedPacket)]
    public void IsRefused_WhenSubscribeIsWrong(byte firstByte, string body, ReasonCode code) =>
        Wire.Refused(code, V5Codec.Instance, firstByte, Convert.FromHexString(body.Replace(" ", "")));

    [Fact]
    public void ReadsUnsubscribe_WhenItHasSeveralFilters()
    {
        var body = Wire.Body(w => w.UInt16(7).Properties(p => p.Bytes(38).Text("a").Text("b")).Text("a/+").Text("$share/g/a"));

        var read = Assert.IsType<UnsubscribePacket>(Wire.Read(V5Codec.Instance, 0xA2, body));

        Assert.Equal(7, read.PacketIdentifier);
        Assert.Equal(["a/+", "$share/g/a"], read.Filters);
        Assert.Equal([new("a", "b")], read.UserProperties);
    }

    [Theory]
    [Clause("MQTT-3.10.1-1")]
    [Clause("MQTT-3.10.3-1")]
    [Clause("MQTT-3.10.3-2")]
    [InlineData(0xA2, "000700", ReasonCode.ProtocolError)]
    [InlineData(0xA2, "000000000161", ReasonCode.ProtocolError)]
    [InlineData(0xA2, "0007000000", ReasonCode.TopicFilterInvalid)]
    [InlineData(0xA2, "0007000001FF", ReasonCode.MalformedPacket)]
    [InlineData(0xA2, "00070000016100", ReasonCode.MalformedPacket)]
    [InlineData(0xA2, "0007020B01000161", ReasonCode.ProtocolError)] // subscription identifier
    [InlineData(0xA2, "0007021F00000161", ReasonCode.MalformedPacket)]
    [InlineData(0xA0, "000700000161", ReasonCode.MalformedPacket)]
    public void IsRefused_WhenUnsubscribeIsWrong(byte firstByte, string body, ReasonCode code) =>
        Wire.Refused(code, V5Codec.Instance, firstByte, Convert.FromHexString(body));
}
