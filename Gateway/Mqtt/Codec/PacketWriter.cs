using System.Buffers.Binary;
using System.Text;

namespace Broker.Gateway.Mqtt.Codec;

/// <summary>Writes the protocol's data types one after the other. [MQTT-1.5]</summary>
/// <remarks>Made by <see cref="Counting"/> it writes nowhere and only counts, so that one piece of code both measures and writes a packet.</remarks>
internal ref struct PacketWriter
{
    private readonly Span<byte> to;
    private readonly bool counting;

    /// <summary>Writes from the start of <paramref name="to"/>, which must be large enough.</summary>
    public PacketWriter(Span<byte> to) => this.to = to;

    private PacketWriter(bool counting) => this.counting = counting;

    /// <summary>A writer that only counts.</summary>
    public static PacketWriter Counting => new(counting: true);

    /// <summary>How many bytes were written or counted.</summary>
    public int Written { get; private set; }

    public void WriteByte(byte value)
    {
        if (!counting) to[Written] = value;
        Written++;
    }

    public void WriteUInt16(ushort value)
    {
        if (!counting) BinaryPrimitives.WriteUInt16BigEndian(to[Written..], value);
        Written += 2;
    }

    public void WriteUInt32(uint value)
    {
        if (!counting) BinaryPrimitives.WriteUInt32BigEndian(to[Written..], value);
        Written += 4;
    }

    /// <param name="value">0 to 268,435,455.</param>
    public void WriteVariableByteInteger(int value) =>
        Written += counting ? VariableByteInteger.Size(value) : VariableByteInteger.Write(value, to[Written..]);

    /// <summary>The bytes as they are, without a length.</summary>
    public void WriteRaw(ReadOnlySpan<byte> value)
    {
        if (!counting) value.CopyTo(to[Written..]);
        Written += value.Length;
    }

    /// <summary>Bytes behind a length of two bytes.</summary>
    /// <param name="value">Up to 65,535 bytes.</param>
    public void WriteBinary(ReadOnlySpan<byte> value)
    {
        WriteUInt16(checked((ushort)value.Length));
        WriteRaw(value);
    }

    /// <summary>A UTF-8 string.</summary>
    /// <param name="value">Up to 65,535 bytes of UTF-8, without NUL.</param>
    public void WriteString(string value)
    {
        if (counting)
        {
            Written += 2 + Encoding.UTF8.GetByteCount(value);
            return;
        }

        var length = Encoding.UTF8.GetBytes(value, to[(Written + 2)..]);
        WriteUInt16(checked((ushort)length));
        Written += length;
    }
}
