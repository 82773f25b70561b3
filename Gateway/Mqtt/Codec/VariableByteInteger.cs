namespace Broker.Gateway.Mqtt.Codec;

/// <summary>The protocol's compressed integer: seven bits a byte, lowest first, the top bit says "more follows". [MQTT-1.5.5]</summary>
internal static class VariableByteInteger
{
    /// <summary>The largest value: four bytes of seven bits.</summary>
    public const int Max = 268_435_455;

    /// <summary>How many bytes a value takes.</summary>
    /// <param name="value">0 to <see cref="Max"/>.</param>
    public static int Size(int value) => value < 1 << 7 ? 1 : value < 1 << 14 ? 2 : value < 1 << 21 ? 3 : 4;

    /// <summary>The value that fills <paramref name="total"/> bytes together with its own encoding: the undoing of `value + Size(value)`.</summary>
    /// <remarks>Lets a writer that knows a section's size find the section's length without measuring it again.</remarks>
    public static int SectionLength(int total) =>
        total <= 1 + 127 ? total - 1 : total <= 2 + 16_383 ? total - 2 : total <= 3 + 2_097_151 ? total - 3 : total - 4;

    /// <summary>Reads a value from the start of the input.</summary>
    /// <param name="value">The value; 0 when the result is 0.</param>
    /// <returns>How many bytes it took; 0 when the input ends inside it.</returns>
    /// <exception cref="MalformedPacketException">It has a fifth byte, or more bytes than it needs.</exception>
    public static int Read(ReadOnlySpan<byte> input, out int value)
    {
        value = 0;
        if (input.IsEmpty) return 0;
        if (input[0] < 0x80)
        {
            value = input[0];
            return 1;
        }

        return ReadLong(input, out value);
    }

    /// <summary>Writes a value.</summary>
    /// <returns>How many bytes it took.</returns>
    public static int Write(int value, Span<byte> to)
    {
        var at = 0;
        for (; value >= 0x80; value >>= 7) to[at++] = (byte)(value | 0x80);
        to[at++] = (byte)value;
        return at;
    }

    private static int ReadLong(ReadOnlySpan<byte> input, out int value)
    {
        value = 0;
        var read = 0;
        for (var at = 0; at < input.Length; at++)
        {
            if (at == 4) break;
            read |= (input[at] & 0x7F) << (7 * at);
            if (input[at] >= 0x80) continue;
            if (input[at] == 0) throw MalformedPacketException.Malformed("overlong variable byte integer"); // [MQTT-1.5.5-1]
            value = read;
            return at + 1;
        }

        return input.Length < 4 ? 0 : throw MalformedPacketException.Malformed("variable byte integer of over four bytes");
    }
}
