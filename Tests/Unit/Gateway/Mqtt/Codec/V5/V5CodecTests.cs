using Broker.Gateway.Mqtt.Codec.V5;
using Broker.Gateway.Mqtt.Packets;
using Broker.Grains.Interfaces.Messages;
using Xunit;

namespace Broker.Tests.Unit.Gateway.Mqtt.Codec.V5;

public class V5CodecTests
{
    private static readonly byte[] ClientDisconnectCodes =
        [0x00, 0x04, 0x80, 0x81, 0x82, 0x83, 0x90, 0x93, 0x94, 0x95, 0x96, 0x97, 0x98, 0x99];

    [Fact]
    public void ReadsPingreq_WhenItIsEmpty()
    {
        Assert.Same(PingreqPacket.Instance, Wire.Read(V5Codec.Instance, 0xC0, []));
        Wire.Refused(ReasonCode.MalformedPacket, V5Codec.Instance, 0xC0, [0]);
    }

    [Fact]
    [Clause("MQTT-3.14.2-1")]
    public void ReadsDisconnect_WhenCodeIsAClients()
    {
        Assert.Equal(ReasonCode.Success, Assert.IsType<DisconnectPacket>(Wire.Read(V5Codec.Instance, 0xE0, [])).Code);
        for (var value = 0; value < 256; value++)
        {
            byte[] body = [(byte)value];
            if (ClientDisconnectCodes.Contains((byte)value))
            {
                Assert.Equal((ReasonCode)value, Assert.IsType<DisconnectPacket>(Wire.Read(V5Codec.Instance, 0xE0, body)).Code);
            }
            else
            {
                Wire.Refused(ReasonCode.ProtocolError, V5Codec.Instance, 0xE0, body);
            }
        }
    }

    [Fact]
    public void ReadsDisconnectProperties_WhenTheyAreThere()
    {
        var body = Wire.Body(w => w.Bytes(4).Properties(p => p.Bytes(17).UInt32(9).Bytes(31).Text("why").Bytes(38).Text("a").Text("b")));
        var read = Assert.IsType<DisconnectPacket>(Wire.Read(V5Codec.Instance, 0xE0, body));
        Assert.Equal((ReasonCode.DisconnectWithWill, 9u, "why"), (read.Code, read.SessionExpiryInterval!.Value, read.ReasonString));
        Assert.Equal([new("a", "b")], read.UserProperties);
    }

    [Theory]
    [Clause("MQTT-3.14.1-1")]
    [InlineData(0xE0, "00041C000161", ReasonCode.ProtocolError)] // server reference
    [InlineData(0xE0, "000A11000000011100000001", ReasonCode.ProtocolError)]
    [InlineData(0xE0, "00061F00001F0000", ReasonCode.ProtocolError)]
    [InlineData(0xE0, "00020101", ReasonCode.MalformedPacket)]
    [InlineData(0xE0, "0001", ReasonCode.MalformedPacket)]
    [InlineData(0xE0, "000000", ReasonCode.MalformedPacket)]
    [InlineData(0xE1, "", ReasonCode.MalformedPacket)]
    public void IsRefused_WhenDisconnectIsWrong(byte firstByte, string body, ReasonCode code) =>
        Wire.Refused(code, V5Codec.Instance, firstByte, Convert.FromHexString(body));

    [Fact]
    public void ReadsAuth_WhenMethodIsThere()
    {
        var body = Wire.Body(w => w.Bytes(0x18).Properties(p => p
            .Bytes(21).Text("SCRAM").Bytes(22).Binary(1, 2).Bytes(31).Text("why").Bytes(38).Text("a").Text("b")));
        var read = Assert.IsType<AuthPacket>(Wire.Read(V5Codec.Instance, 0xF0, body));
        Assert.Equal((ReasonCode.ContinueAuthentication, "SCRAM", "why"), (read.Code, read.AuthenticationMethod, read.ReasonString));
        Assert.Equal([1, 2], read.AuthenticationData);
        Assert.Equal([new("a", "b")], read.UserProperties);
    }

    [Theory]
    [Clause("MQTT-3.15.1-1")]
    [Clause("MQTT-3.15.2-1")]
    [InlineData(0xF0, "", ReasonCode.ProtocolError)] // success is the server's to say
    [InlineData(0xF0, "0004 15000161", ReasonCode.ProtocolError)]
    [InlineData(0xF0, "1800", ReasonCode.ProtocolError)] // no method
    [InlineData(0xF0, "1808 15000161 15000161", ReasonCode.ProtocolError)]
    [InlineData(0xF0, "18", ReasonCode.MalformedPacket)]
    [InlineData(0xF0, "1804 15000161 00", ReasonCode.MalformedPacket)]
    [InlineData(0xF0, "1802 0101", ReasonCode.MalformedPacket)]
    [InlineData(0xF1, "1804 15000161", ReasonCode.MalformedPacket)]
    public void IsRefused_WhenAuthIsWrong(byte firstByte, string body, ReasonCode code) =>
        Wire.Refused(code, V5Codec.Instance, firstByte, Convert.FromHexString(body.Replace(" ", "")));

    [Theory]
    [Clause("MQTT-3.1.0-2")]
    [InlineData(0x10)]
    [InlineData(0x20)]
    [InlineData(0x90)]
    [InlineData(0xB0)]
    [InlineData(0xD0)]
    public void IsProtocolError_WhenAClientMayNotSendIt(byte firstByte) => Wire.Refused(ReasonCode.ProtocolError, V5Codec.Instance, firstByte, [0, 1]);

    [Fact]
    public void WritesShortForms_WhenThereIsNothingToSay()
    {
        Assert.Equal([0xD0, 0], Wire.Written(V5Codec.Instance, PingrespPacket.Instance));
        Assert.Equal([0xE0, 0], Wire.Written(V5Codec.Instance, new DisconnectPacket(ReasonCode.Success)));
        Assert.Equal([0xE0, 1, 0x8B], Wire.Written(V5Codec.Instance, new DisconnectPacket(ReasonCode.ServerShuttingDown)));
        Assert.Equal([0xF0, 0], Wire.Written(V5Codec.Instance, new AuthPacket(ReasonCode.Success)));
        Assert.Equal([0x20, 3, 0, 0, 0], Wire.Written(V5Codec.Instance, new ConnackPacket { Code = ReasonCode.Success }));
        Assert.Equal([0x90, 4, 0, 7, 0, 1], Wire.Written(V5Codec.Instance, new SubackPacket(7, [ReasonCode.GrantedQos1])));
        Assert.Equal([0xB0, 4, 0, 7, 0, 17], Wire.Written(V5Codec.Instance, new UnsubackPacket(7, [ReasonCode.NoSubscriptionExisted])));
    }

    [Fact]
    [Clause("MQTT-3.2.2-6")]
    public void HidesSession_WhenConnackRefuses() => Assert.Equal(
        [0x20, 3, 0, 0x87, 0],
        Wire.Written(V5Codec.Instance, new ConnackPacket { Code = ReasonCode.NotAuthorized, SessionPresent = true }));

    [Fact]
    public void OmitsMaximumQos_WhenItIsTwo() => Assert.Equal(
        [0x20, 3, 1, 0, 0],
        Wire.Written(V5Codec.Instance, new ConnackPacket { Code = ReasonCode.Success, SessionPresent = true, MaximumQos = Qos.ExactlyOnce }));

    [Fact]
    [Clause("MQTT-3.14.2-2")]
    public void OmitsSessionExpiry_WhenServerDisconnects() => Assert.Equal(
        [0xE0, 0],
        Wire.Written(V5Codec.Instance, new DisconnectPacket(ReasonCode.Success) { SessionExpiryInterval = 5 }));

    [Fact]
    public void Throws_WhenAServerDoesNotSendIt() =>
        Assert.Throws<InvalidOperationException>(() => V5Codec.Instance.Measure(new UnsubscribePacket(1, ["a"])));
}
