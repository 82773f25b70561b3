using Broker.Gateway.Mqtt.Packets;

namespace Broker.Gateway.Mqtt.Codec;

/// <summary>What the first byte of a packet may be. [MQTT-2.1.1]</summary>
internal static class FixedHeader
{
    /// <summary>The flag that says a PUBLISH may be a repetition; 3.1 knows it in other packets too.</summary>
    public const byte Dup = 0b1000;

    /// <summary>PUBLISH with RETAIN clear or set: QoS 0 without DUP, QoS 1 and 2 with any DUP.</summary>
    private const ushort PublishFlags = 0b0011_1100_0011_1111;

    private const ushort None = 1 << 0b0000;
    private const ushort Two = 1 << 0b0010;
    private const ushort TwoAndDup = Two | 1 << 0b1010;

    /// <summary>By type, a bit for each value of the four flags that is allowed. [MQTT-2.1.3-1]</summary>
    private static ReadOnlySpan<ushort> Allowed =>
        [0, None, None, PublishFlags, None, None, Two, None, Two, None, Two, None, None, None, None, None];

    /// <summary>The same for 3.1, which lets PUBREL, SUBSCRIBE and UNSUBSCRIBE be marked as repeated.</summary>
    private static ReadOnlySpan<ushort> AllowedV31 =>
        [0, None, None, PublishFlags, None, None, TwoAndDup, None, TwoAndDup, None, TwoAndDup, None, None, None, None, None];

    /// <summary>Which packet this is.</summary>
    public static PacketType Type(byte firstByte) => (PacketType)(firstByte >> 4);

    /// <summary>The first byte of a packet that has no flags of its own.</summary>
    public static byte FirstByte(PacketType type) =>
        (byte)((int)type << 4 | (type is PacketType.Pubrel or PacketType.Subscribe or PacketType.Unsubscribe ? 0b0010 : 0));

    /// <summary>Checks type and flags by the rules of 3.1.1 and 5.0.</summary>
    /// <exception cref="MalformedPacketException">The type is reserved or its flags are wrong.</exception>
    public static void Check(byte firstByte)
    {
        if ((Allowed[firstByte >> 4] >> (firstByte & 0x0F) & 1) == 0) throw Refuse(firstByte);
    }

    /// <summary>Checks type and flags by the rules of 3.1, the loosest version: what fails here fails in all.</summary>
    /// <exception cref="MalformedPacketException">The type is reserved or its flags are wrong.</exception>
    public static void CheckV31(byte firstByte)
    {
        if ((AllowedV31[firstByte >> 4] >> (firstByte & 0x0F) & 1) == 0) throw Refuse(firstByte);
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
