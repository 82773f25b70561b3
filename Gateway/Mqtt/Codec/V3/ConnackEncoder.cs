using Broker.Gateway.Mqtt.Packets;
using Broker.Grains.Interfaces.Messages;

namespace Broker.Gateway.Mqtt.Codec.V3;

/// <summary>Writes CONNACK of 3.x, which knows only six codes. [3.1.1 MQTT-3.2]</summary>
internal static class ConnackEncoder
{
    /// <param name="withSessionPresent">False in 3.1, where the byte is reserved.</param>
    public static void WriteBody(ConnackPacket packet, bool withSessionPresent, ref PacketWriter writer)
    {
        var sessionPresent = withSessionPresent && packet.SessionPresent && packet.Code == ReasonCode.Success; // [3.1.1 MQTT-3.2.2-4]
        writer.WriteByte(sessionPresent ? (byte)1 : (byte)0);
        writer.WriteByte(ReturnCode(packet.Code));
    }

    private static byte ReturnCode(ReasonCode code) => code switch
    {
        ReasonCode.Success => 0,
        ReasonCode.UnsupportedProtocolVersion => 1,
        ReasonCode.ClientIdentifierNotValid => 2,
        ReasonCode.BadUserNameOrPassword => 4,
        ReasonCode.NotAuthorized or ReasonCode.Banned => 5,
        _ => 3, // server unavailable is the nearest to everything else
    };
}
