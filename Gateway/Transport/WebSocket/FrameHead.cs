using System.Buffers.Binary;

namespace Broker.Gateway.Transport.WebSocket;

/// <summary>What a WebSocket frame is (RFC 6455, section 5.2).</summary>
internal enum Opcode
{
    Continuation = 0,
    Text = 1,
    Binary = 2,
    Close = 8,
    Ping = 9,
    Pong = 10,
}

/// <summary>The head of a WebSocket frame.</summary>
/// <param name="Length">Of the payload, in bytes.</param>
/// <param name="Mask">What a client's payload is masked with: four bytes, the first lowest.</param>
internal readonly record struct FrameHead(Opcode Opcode, bool IsLast, bool IsCompressed, ulong Length, uint Mask)
{
    /// <summary>Longest head.</summary>
    public const int MaxBytes = 14;

    public bool IsControl => Opcode >= Opcode.Close;

    /// <summary>Reads the head of a client's frame.</summary>
    /// <param name="needed">How many bytes of it are needed to go on, or how many it has when it is complete.</param>
    /// <returns>False if it is not whole, or, with <paramref name="needed"/> 0, not allowed.</returns>
    public static bool TryRead(ReadOnlySpan<byte> input, out FrameHead head, out int needed)
    {
        head = default;
        needed = 2;
        if (input.Length < 2) return false;
        var (first, second) = (input[0], input[1]);
        var opcode = (Opcode)(first & 0xF);
        var shortLength = second & 0x7F;
        var isControl = opcode >= Opcode.Close;
        needed = 0;
        if ((first & 0x30) != 0 || (second & 0x80) == 0 || !Enum.IsDefined(opcode)) return false; // no such extension, not masked, no such frame
        if (isControl && (shortLength > 125 || (first & 0x80) == 0 || (first & 0x40) != 0)) return false;
        var lengthBytes = shortLength switch { 126 => 2, 127 => 8, _ => 0 };
        needed = 2 + lengthBytes + 4;
        if (input.Length < needed) return false;
        var length = lengthBytes switch
        {
            2 => BinaryPrimitives.ReadUInt16BigEndian(input[2..]),
            8 => BinaryPrimitives.ReadUInt64BigEndian(input[2..]),
            _ => (ulong)shortLength,
        };
        head = new FrameHead(opcode, (first & 0x80) != 0, (first & 0x40) != 0, length, BinaryPrimitives.ReadUInt32LittleEndian(input[(needed - 4)..]));
        return true;
    }

    /// <summary>Writes the head of one of the server's frames, which are whole and not masked.</summary>
    /// <returns>Its length.</returns>
    public static int Write(Span<byte> to, Opcode opcode, bool compressed, int length)
    {
        to[0] = (byte)(0x80 | (compressed ? 0x40 : 0) | (int)opcode);
        if (length < 126)
        {
            to[1] = (byte)length;
            return 2;
        }

        if (length <= ushort.MaxValue)
        {
            to[1] = 126;
            BinaryPrimitives.WriteUInt16BigEndian(to[2..], (ushort)length);
            return 4;
        }

        to[1] = 127;
        BinaryPrimitives.WriteUInt64BigEndian(to[2..], (ulong)length);
        return 10;
    }

    /// <summary>Takes the mask off, in place.</summary>
    /// <param name="offset">How much of the payload came before these bytes.</param>
    public void Unmask(Span<byte> payload, ulong offset)
    {
        // Turned so that its first byte is for the first of these bytes.
        var mask = uint.RotateRight(Mask, (int)(offset % 4) * 8);
        var wide = mask | ((ulong)mask << 32);
        while (payload.Length >= 8)
        {
            BinaryPrimitives.WriteUInt64LittleEndian(payload, BinaryPrimitives.ReadUInt64LittleEndian(payload) ^ wide);
            payload = payload[8..];
        }

        for (var i = 0; i < payload.Length; i++) payload[i] ^= (byte)(wide >> (i * 8));
    }
}
