using System.Threading.Tasks.Sources;
using DotNetty.Buffers;
using DotNetty.Transport.Channels;

namespace Broker.Gateway.Transport.Tls;

/// <summary>The encrypted side of a TLS connection: what SslStream reads has come from the channel, what it writes goes there.</summary>
/// <remarks>The event loop gives and ends; SslStream reads and writes on the loop, or, in its handshake, on any thread. At most one read at a time.</remarks>
internal sealed class TlsWire(IChannelHandlerContext context) : Stream, IValueTaskSource<int>
{
    private readonly Lock gate = new();
    private readonly Queue<IByteBuffer> arrived = new();
    private ManualResetValueTaskSourceCore<int> waiting;
    private Memory<byte> destination;
    private bool isWaiting;
    private bool isEnded;

    /// <summary>While set, what is written waits for the channel's flush, and <see cref="LastWrite"/> tells of it. On the loop only.</summary>
    public bool Corks { get; set; }

    /// <summary>The write that was made last while <see cref="Corks"/> was set.</summary>
    public Task LastWrite { get; private set; } = Task.CompletedTask;

    public override bool CanRead => true;

    public override bool CanWrite => true;

    public override bool CanSeek => false;

    public override long Length => throw new NotSupportedException();

    public override long Position
    {
        get => throw new NotSupportedException();
        set => throw new NotSupportedException();
    }

    /// <summary>Ciphertext has arrived; the wire releases it. A waiting reader goes on before this returns.</summary>
    public void Give(IByteBuffer ciphertext)
    {
        int count;
        lock (gate)
        {
            if (isEnded || !ciphertext.IsReadable())
            {
                ciphertext.Release();
                return;
            }

            arrived.Enqueue(ciphertext);
            if (!isWaiting) return;
            isWaiting = false;
            count = Take(destination.Span);
        }

        waiting.SetResult(count);
    }

    /// <summary>The channel is closed: readers find the end.</summary>
    public void End()
    {
        lock (gate)
        {
            isEnded = true;
            while (arrived.TryDequeue(out var unread)) unread.Release();
            if (!isWaiting) return;
            isWaiting = false;
        }

        waiting.SetResult(0);
    }

    /// <remarks>With an empty buffer it waits until there is something to read, as SslStream does while it has nothing to do.</remarks>
    public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        lock (gate)
        {
            if (arrived.Count > 0) return new(Take(buffer.Span));
            if (isEnded) return new(0);
            destination = buffer;
            isWaiting = true;
            waiting.Reset();
            return new(this, waiting.Version);
        }
    }

    public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    public override void Write(ReadOnlySpan<byte> buffer)
    {
        if (!context.Channel.EventLoop.InEventLoop)
        {
            var copy = Unpooled.WrappedBuffer(buffer.ToArray());
            context.Channel.EventLoop.Execute(() => _ = context.WriteAndFlushAsync(copy));
            return;
        }

        var ciphertext = context.Allocator.HeapBuffer(buffer);
        if (Corks) LastWrite = context.WriteAsync(ciphertext);
        else _ = context.WriteAndFlushAsync(ciphertext);
    }

    public override void Write(byte[] buffer, int offset, int count) => Write(buffer.AsSpan(offset, count));

    public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
    {
        Write(buffer.Span);
        return ValueTask.CompletedTask;
    }

    public override Task WriteAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken)
    {
        Write(buffer.AsSpan(offset, count));
        return Task.CompletedTask;
    }

    public override void Flush()
    {
    }

    public override Task FlushAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException("A loop cannot wait.");

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    int IValueTaskSource<int>.GetResult(short token) => waiting.GetResult(token);

    ValueTaskSourceStatus IValueTaskSource<int>.GetStatus(short token) => waiting.GetStatus(token);

    void IValueTaskSource<int>.OnCompleted(Action<object?> continuation, object? state, short token, ValueTaskSourceOnCompletedFlags flags) =>
        waiting.OnCompleted(continuation, state, token, flags);

    private int Take(Span<byte> to)
    {
        var count = 0;
        while (count < to.Length && arrived.TryPeek(out var first))
        {
            var some = Math.Min(to.Length - count, first.ReadableBytes);
            first.AsMemory().Span[..some].CopyTo(to[count..]);
            first.SkipBytes(some);
            count += some;
            if (!first.IsReadable()) arrived.Dequeue().Release();
        }

        return count;
    }
}
