using System.Runtime.InteropServices;
using Broker.Gateway.Mqtt.Packets;
using Broker.Grains.Interfaces.Messages;

namespace Broker.Gateway.Mqtt.Codec.V5;

/// <summary>Writes SUBACK and UNSUBACK of 5.0, which look alike. [MQTT-3.9], [MQTT-3.11]</summary>
internal static class SubackEncoder
{
    public static void WriteBody(SubackPacket packet, ref PacketWriter writer) =>
        WriteBody(packet.PacketIdentifier, packet.ReasonString, packet.UserProperties, packet.Codes, ref writer);

    public static void WriteBody(UnsubackPacket packet, ref PacketWriter writer) =>
        WriteBody(packet.PacketIdentifier, packet.ReasonString, packet.UserProperties, packet.Codes, ref writer);

    private static void WriteBody(ushort packetIdentifier, string? reason, UserProperty[] user, ReasonCode[] codes, ref PacketWriter writer)
    {
        writer.WriteUInt16(packetIdentifier);
        var length = PacketWriter.Counting;
        WriteProperties(reason, user, ref length);
        writer.WriteVariableByteInteger(length.Written);
        WriteProperties(reason, user, ref writer);
        writer.WriteRaw(MemoryMarshal.AsBytes(codes.AsSpan())); // [MQTT-3.9.3-1], [MQTT-3.11.3-1]
    }

    private static void WriteProperties(string? reason, UserProperty[] user, ref PacketWriter writer)
    {
        PropertyWriter.Write(ref writer, PropertyId.ReasonString, reason);
        PropertyWriter.Write(ref writer, user);
    }
}
