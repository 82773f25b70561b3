using System.IO.Compression;
using DotNetty.Buffers;

namespace Broker.Gateway.Transport.WebSocket;

/// <summary>Compresses and inflates messages, each by itself (RFC 7692 without context takeover).</summary>
/// <param name="maxMessage">Largest message, before and after it is inflated, in bytes.</param>
internal sealed class MessageDeflate(int maxMessage)
{
    /// <summary>What ends a message's data and is not sent (RFC 7692, section 7.2.1).</summary>
    private static readonly byte[] Tail = [0, 0, 0xFF, 0xFF];

    private MemoryStream? collected;

    /// <summary>Takes a part of a compressed message.</summary>
    /// <returns>False if the message has become too large.</returns>
    public bool TryCollect(ReadOnlySpan<byte> part)
    {
        collected ??= new MemoryStream();
        if (collected.Length + part.Length > maxMessage) return false;
        collected.Write(part);
        return true;
    }

    /// <summary>Inflates what was collected, which is a whole message.</summary>
    /// <returns>Its bytes, which the caller releases; null if it is too large.</returns>
    /// <exception cref="InvalidDataException">It is not compressed data.</exception>
    public IByteBuffer? Inflate(IByteBufferAllocator allocator)
    {
        using var input = collected ?? new MemoryStream();
        collected = null;
        input.Write(Tail);
        input.Position = 0;
        using var inflater = new DeflateStream(input, CompressionMode.Decompress);
        var output = allocator.HeapBuffer(4096, maxMessage);
        var isWhole = false;
        try
        {
            while (true)
            {
                if (!output.IsWritable())
                {
                    if (output.Capacity == maxMessage) return null;
                    output.EnsureWritable(Math.Min(output.Capacity, maxMessage - output.Capacity));
                }

                var count = inflater.Read(output.Array, output.ArrayOffset + output.WriterIndex, output.WritableBytes);
                if (count == 0) break;
                output.SetWriterIndex(output.WriterIndex + count);
            }

            isWhole = true;
            return output;
        }
        finally
        {
            if (!isWhole) output.Release();
        }
    }

    /// <summary>A message's compressed form.</summary>
    public static ReadOnlyMemory<byte> Compress(ReadOnlySpan<byte> message)
    {
        var output = new MemoryStream(message.Length + 16);
        using var deflater = new DeflateStream(output, CompressionLevel.Fastest, leaveOpen: true);
        deflater.Write(message);
        deflater.Flush(); // ends in the tail
        return output.GetBuffer().AsMemory(0, (int)output.Length - Tail.Length);
    }
}
