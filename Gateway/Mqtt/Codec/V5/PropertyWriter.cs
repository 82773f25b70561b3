using Broker.Grains.Interfaces.Messages;

namespace Broker.Gateway.Mqtt.Codec.V5;

/// <summary>Writes one property, identifier and value; null writes nothing. [MQTT-2.2.2.2]</summary>
internal static class PropertyWriter
{
    public static void Write(ref PacketWriter writer, PropertyId id, bool? value)
    {
        if (value is not { } flag) return;
        writer.WriteByte((byte)id);
        writer.WriteByte(flag ? (byte)1 : (byte)0);
    }

    public static void Write(ref PacketWriter writer, PropertyId id, ushort? value)
    {
        if (value is not { } number) return;
        writer.WriteByte((byte)id);
        writer.WriteUInt16(number);
    }

    public static void Write(ref PacketWriter writer, PropertyId id, uint? value)
    {
        if (value is not { } number) return;
        writer.WriteByte((byte)id);
        writer.WriteUInt32(number);
    }

    public static void Write(ref PacketWriter writer, PropertyId id, string? value)
    {
        if (value is null) return;
        writer.WriteByte((byte)id);
        writer.WriteString(value);
    }

    public static void Write(ref PacketWriter writer, PropertyId id, byte[]? value)
    {
        if (value is null) return;
        writer.WriteByte((byte)id);
        writer.WriteBinary(value);
    }

    /// <summary>All user properties, in their order. [MQTT-3.3.2-18]</summary>
    public static void Write(ref PacketWriter writer, UserProperty[] user)
    {
        foreach (var (name, value) in user)
        {
            writer.WriteByte((byte)PropertyId.UserProperty);
            writer.WriteString(name);
            writer.WriteString(value);
        }
    }
}
