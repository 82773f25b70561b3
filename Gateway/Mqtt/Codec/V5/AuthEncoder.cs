using Broker.Gateway.Mqtt.Packets;
using Broker.Grains.Interfaces.Messages;

namespace Broker.Gateway.Mqtt.Codec.V5;

/// <summary>Writes AUTH as a server sends it. [MQTT-3.15]</summary>
internal static class AuthEncoder
{
    public static void WriteBody(AuthPacket packet, ref PacketWriter writer)
    {
        var length = PacketWriter.Counting;
        WriteProperties(packet, ref length);
        if (length.Written == 0 && packet.Code == ReasonCode.Success) return; // [MQTT-3.15.2.1]
        writer.WriteByte((byte)packet.Code);
        writer.WriteVariableByteInteger(length.Written);
        WriteProperties(packet, ref writer);
    }

    private static void WriteProperties(AuthPacket packet, ref PacketWriter writer)
    {
        PropertyWriter.Write(ref writer, PropertyId.AuthenticationMethod, packet.AuthenticationMethod);
        PropertyWriter.Write(ref writer, PropertyId.AuthenticationData, packet.AuthenticationData);
        PropertyWriter.Write(ref writer, PropertyId.ReasonString, packet.ReasonString);
        PropertyWriter.Write(ref writer, packet.UserProperties);
    }
}
