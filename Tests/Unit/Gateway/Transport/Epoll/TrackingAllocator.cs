using System.Collections.Concurrent;
using DotNetty.Buffers;

namespace Broker.Tests.Unit.Gateway.Transport.Epoll;

/// <summary>Hands out plain heap buffers and remembers each, so that a test can tell exactly which were never released.</summary>
internal sealed class TrackingAllocator : AbstractByteBufferAllocator
{
    private readonly ConcurrentQueue<IByteBuffer> handedOut = new();

    public override bool IsDirectBufferPooled => false;

    public int HandedOut => handedOut.Count;

    public int Unreleased => handedOut.Count(static buffer => buffer.ReferenceCount != 0);

    protected override IByteBuffer NewHeapBuffer(int initialCapacity, int maxCapacity)
    {
        IByteBuffer buffer = UnpooledByteBufferAllocator.Default.HeapBuffer(initialCapacity, maxCapacity);
        handedOut.Enqueue(buffer);
        return buffer;
    }

    protected override IByteBuffer NewDirectBuffer(int initialCapacity, int maxCapacity) => NewHeapBuffer(initialCapacity, maxCapacity);
}
