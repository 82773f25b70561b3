using System.Buffers.Binary;
using System.Text;
using Broker.Grains.Interfaces.Topics;

namespace Broker.Gateway.Mqtt.Codec;

/// <summary>Reads the protocol's data types one after the other from a packet's body. [MQTT-1.5]</summary>
/// <remarks>Every read throws <see cref="MalformedPacketException"/> when the body ends too early.</remarks>
internal ref struct PacketReader(ReadOnlySpan<byte> body)
{
    private ReadOnlySpan<byte> rest = body;

    /// <summary>True when all was read.</summary>
    public readonly bool AtEnd => rest.IsEmpty;

    /// <summary>What was not read yet.</summary>
    public readonly ReadOnlySpan<byte> Rest => rest;

    public byte ReadByte() => Take(1)[0];

    public ushort ReadUInt16() => BinaryPrimitives.ReadUInt16BigEndian(Take(2));

    public uint ReadUInt32() => BinaryPrimitives.ReadUInt32BigEndian(Take(4));

    /// <summary>A variable byte integer, 0 to 268,435,455. [MQTT-1.5.5]</summary>
    public int ReadVariableByteInteger()
    {
        var size = VariableByteInteger.Read(rest, out var value);
        if (size == 0) throw Short();
        rest = rest[size..];
        return value;
    }

    /// <summary>Bytes behind a length of two bytes; a view into the body. [MQTT-1.5.6]</summary>
    public ReadOnlySpan<byte> ReadBinary() => Take(ReadUInt16());

    /// <summary>A UTF-8 string, checked; a view into the body. [MQTT-1.5.4-1], [MQTT-1.5.4-2]</summary>
    public ReadOnlySpan<byte> ReadUtf8()
    {
        var utf8 = ReadBinary();
        return MqttText.IsValid(utf8) ? utf8 : throw MalformedPacketException.Malformed("string that is not UTF-8 or holds NUL");
    }

    /// <summary>A UTF-8 string. [MQTT-1.5.4-1], [MQTT-1.5.4-2]</summary>
    public string ReadString() => Encoding.UTF8.GetString(ReadUtf8());

    /// <summary>A packet identifier, never 0. [MQTT-2.2.1-3]</summary>
    public ushort ReadPacketIdentifier()
    {
        var identifier = ReadUInt16();
        return identifier != 0 ? identifier : throw MalformedPacketException.ProtocolError("packet identifier 0"); // [MQTT-2.2.1-3]
    }

    /// <summary>The next bytes as a body of their own.</summary>
    public PacketReader ReadSection(int length) => new(Take(length));

    /// <summary>Refuses what follows the last field.</summary>
    public readonly void ExpectEnd()
    {
        if (!rest.IsEmpty) throw MalformedPacketException.Malformed("bytes after the end of the packet");
    }

    private ReadOnlySpan<byte> Take(int length)
    {
        if (length > rest.Length) throw Short();
        var taken = rest[..length];
        rest = rest[length..];
        return taken;
    }

    private static MalformedPacketException Short() => MalformedPacketException.Malformed("packet ends inside a field");
}
