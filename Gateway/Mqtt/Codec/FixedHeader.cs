using Broker.Gateway.Mqtt.Packets;

namespace Broker.Gateway.Mqtt.Codec;

/// <summary>What the first byte of a packet may be. [MQTT-2.1.1]</summary>
internal static class FixedHeader
{
    /// <summary>The flag that says a PUBLISH may be a repetition; 3.1 knows it in other packets too.</summary>
    public const byte Dup = 0b1000;

    /// <summary>PUBLISH with RETAIN clear or set: QoS 0 without DUP, QoS 1 and 2 with any DUP.</summary>
    private const ushort PublishFlags = 0b0011_1100_0011_1111;

    /// <summary>What stands in PUBREL, SUBSCRIBE and UNSUBSCRIBE.</summary>
    private const byte Reserved = 0b0010;

    /// <summary>By type, the flags of every packet but PUBLISH [MQTT-2.1.3-1]; type 0 has flags that no byte can have.</summary>
    /// <remarks>Bytes, since they are read in place: a span of wider numbers costs an allocation in code that is not optimised.</remarks>
    private static ReadOnlySpan<byte> Required => [0xFF, 0, 0, 0, 0, 0, Reserved, 0, Reserved, 0, Reserved, 0, 0, 0, 0, 0];

    /// <summary>Which packet this is.</summary>
    public static PacketType Type(byte firstByte) => (PacketType)(firstByte >> 4);

    /// <summary>The first byte of a packet other than PUBLISH.</summary>
    public static byte FirstByte(PacketType type) => (byte)((int)type << 4 | Required[(int)type]);

    /// <summary>Checks type and flags by the rules of 3.1.1 and 5.0.</summary>
    /// <exception cref="MalformedPacketException">The type is reserved or its flags are wrong.</exception>
    public static void Check(byte firstByte)
    {
        if (!Allows(firstByte)) throw Refuse(firstByte);
    }

    /// <summary>Checks type and flags by the rules of 3.1, the loosest version: what fails here fails in all.</summary>
    /// <exception cref="MalformedPacketException">The type is reserved or its flags are wrong.</exception>
    public static void CheckV31(byte firstByte)
    {
        if (Allows(firstByte)) return;
        // It lets PUBREL, SUBSCRIBE and UNSUBSCRIBE be marked as repeated.
        if (Required[firstByte >> 4] != Reserved || !Allows((byte)(firstByte & ~Dup))) throw Refuse(firstByte);
    }

    private static bool Allows(byte firstByte)
    {
        var flags = firstByte & 0x0F;
        return Type(firstByte) == PacketType.Publish ? (PublishFlags >> flags & 1) != 0 : flags == Required[firstByte >> 4];
    }

    private static MalformedPacketException Refuse(byte firstByte) => MalformedPacketException.Malformed(Type(firstByte) switch
    {
        0 => "reserved packet type 0",
        PacketType.Publish when (firstByte & 0b0110) == 0b0110 => "QoS 3 in PUBLISH", // [MQTT-3.3.1-4]
        PacketType.Publish => "DUP with QoS 0 in PUBLISH", // [MQTT-3.3.1-2]
        PacketType.Pubrel => "wrong flags in PUBREL", // [MQTT-3.6.1-1]
        PacketType.Subscribe => "wrong flags in SUBSCRIBE", // [MQTT-3.8.1-1]
        PacketType.Unsubscribe => "wrong flags in UNSUBSCRIBE", // [MQTT-3.10.1-1]
        PacketType.Disconnect => "wrong flags in DISCONNECT", // [MQTT-3.14.1-1]
        PacketType.Auth => "wrong flags in AUTH", // [MQTT-3.15.1-1]
        _ => "reserved flags in the fixed header", // [MQTT-2.1.3-1]
    });
}
