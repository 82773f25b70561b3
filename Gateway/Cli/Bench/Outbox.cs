namespace Broker.Gateway.Cli.Bench;

/// <summary>What a client has yet to send: everything that is added while a write is under way goes with the next.</summary>
internal sealed class Outbox(Stream stream)
{
    private readonly Lock gate = new();
    private byte[] filling = new byte[64], sending = [];
    private int filled;
    private bool isWriting;

    /// <summary>Bytes that wait behind the write that is under way.</summary>
    public int Waiting => Volatile.Read(ref filled);

    /// <summary>Whether a write is under way; stays so when one has failed.</summary>
    public bool IsWriting => Volatile.Read(ref isWriting);

    /// <summary>Adds bytes; they go with the next <see cref="FlushAsync"/>.</summary>
    /// <param name="write">Fills as many bytes as were asked for.</param>
    public void Add<T>(int count, T state, WriteBytes<T> write)
    {
        lock (gate)
        {
            if (filling.Length - filled < count) Array.Resize(ref filling, Math.Max(filling.Length * 2, filled + count));
            write(filling.AsSpan(filled, count), state);
            filled += count;
        }
    }

    /// <summary>Writes what waits, unless a write is under way, which then writes it too.</summary>
    public async Task FlushAsync()
    {
        lock (gate)
        {
            if (isWriting || filled == 0) return;
            isWriting = true;
        }

        while (true)
        {
            int count;
            lock (gate)
            {
                if (filled == 0)
                {
                    isWriting = false;
                    return;
                }

                (filling, sending) = (sending, filling);
                (count, filled) = (filled, 0);
            }

            // After a fault it stays "writing": nothing more is sent.
            await stream.WriteAsync(sending.AsMemory(0, count));
        }
    }

    public delegate void WriteBytes<T>(Span<byte> to, T state);
}
