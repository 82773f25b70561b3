using Broker.Gateway.Mqtt.Packets;
using Broker.Grains.Interfaces.Messages;

namespace Broker.Gateway.Mqtt.Codec.V5;

/// <summary>Writes DISCONNECT of 5.0 as a server sends it. [MQTT-3.14]</summary>
internal static class DisconnectEncoder
{
    public static void WriteBody(DisconnectPacket packet, ref PacketWriter writer)
    {
        var length = PacketWriter.Counting;
        WriteProperties(packet, ref length);
        if (length.Written == 0 && packet.Code == ReasonCode.Success) return; // [MQTT-3.14.2.1]
        writer.WriteByte((byte)packet.Code);
        if (length.Written == 0) return; // [MQTT-3.14.2.2.1]
        writer.WriteVariableByteInteger(length.Written);
        WriteProperties(packet, ref writer);
    }

    /// <summary>The session expiry interval is left out: a server must not send it. [MQTT-3.14.2-2]</summary>
    private static void WriteProperties(DisconnectPacket packet, ref PacketWriter writer)
    {
        PropertyWriter.Write(ref writer, PropertyId.ReasonString, packet.ReasonString);
        PropertyWriter.Write(ref writer, packet.UserProperties);
        PropertyWriter.Write(ref writer, PropertyId.ServerReference, packet.ServerReference);
    }
}
