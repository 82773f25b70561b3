using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Broker.Gateway.Transport.Epoll;

/// <summary>Sends several array pieces in one call. One per loop, used by its thread alone: nothing is allocated per write.</summary>
internal sealed unsafe class GatherWriter : IDisposable
{
    /// <summary>The most pieces one call takes.</summary>
    public const int MaxSegments = 64;

    private readonly PinnedGCHandle<byte[]?>[] pins = new PinnedGCHandle<byte[]?>[MaxSegments];
    private LibC.Segment* segments = (LibC.Segment*)NativeMemory.Alloc(MaxSegments, (nuint)sizeof(LibC.Segment));

    public GatherWriter()
    {
        for (int i = 0; i < pins.Length; i++) pins[i] = new PinnedGCHandle<byte[]?>(null);
    }

    /// <summary>Sends the pieces in order, the first <see cref="MaxSegments"/> at most.</summary>
    /// <param name="attempted">The bytes offered; a smaller result means that the socket's buffer is full.</param>
    /// <returns>Bytes sent, or minus the error number.</returns>
    public int Send(int fd, ReadOnlySpan<ArraySegment<byte>> pieces, out int attempted)
    {
        int count = Math.Min(pieces.Length, MaxSegments);
        int pinned = 0;
        attempted = 0;
        byte[]? previous = null;
        for (int i = 0; i < count; i++)
        {
            ArraySegment<byte> piece = pieces[i];
            byte[] array = piece.Array!;
            if (!ReferenceEquals(array, previous))
            {
                // Neighbours mostly share one chunk of the pool.
                pins[pinned++].Target = array;
                previous = array;
            }

            segments[i].Start = (byte*)Unsafe.AsPointer(ref Unsafe.Add(ref MemoryMarshal.GetArrayDataReference(array), piece.Offset));
            segments[i].Length = (nuint)piece.Count;
            attempted += piece.Count;
        }

        var message = new LibC.MessageHeader { Segments = segments, SegmentCount = (nuint)count };
        int sent = (int)LibC.SendMessage(fd, &message, LibC.MsgNoSignal);
        if (sent < 0) sent = -LibC.Errno;
        while (pinned > 0) pins[--pinned].Target = null;
        return sent;
    }

    public void Dispose()
    {
        if (segments == null) return;
        foreach (PinnedGCHandle<byte[]?> pin in pins) pin.Dispose();
        NativeMemory.Free(segments);
        segments = null;
    }
}
