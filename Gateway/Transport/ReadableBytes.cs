using DotNetty.Buffers;

namespace Broker.Gateway.Transport;

/// <summary>Bytes of DotNetty's buffers without a copy.</summary>
internal static class ReadableBytes
{
    /// <summary>What can be read of the buffer, in place: good until the buffer changes or is released. A buffer of several parts is copied.</summary>
    public static Memory<byte> AsMemory(this IByteBuffer buffer) => buffer.HasArray
        ? buffer.Array.AsMemory(buffer.ArrayOffset + buffer.ReaderIndex, buffer.ReadableBytes)
        : buffer.GetIoBuffer(buffer.ReaderIndex, buffer.ReadableBytes);

    /// <summary>A buffer of the allocator with these bytes in it.</summary>
    public static IByteBuffer HeapBuffer(this IByteBufferAllocator allocator, ReadOnlySpan<byte> bytes)
    {
        var buffer = allocator.HeapBuffer(bytes.Length);
        bytes.CopyTo(buffer.Array.AsSpan(buffer.ArrayOffset, bytes.Length));
        buffer.SetWriterIndex(bytes.Length);
        return buffer;
    }
}
