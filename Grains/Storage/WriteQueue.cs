using Broker.Grains.Storage.Writes;

namespace Broker.Grains.Storage;

/// <summary>What was submitted and not yet reported: many threads in, the writer thread out, bounded by count and bytes.</summary>
/// <remarks>The lock is held for a list append or a swap of two lists, never across I/O. Only the writer thread waits on it.</remarks>
internal sealed class WriteQueue(StoreOptions options)
{
    private readonly object gate = new();
    private List<StoreWrite> incoming = [];
    private List<StoreWrite> taken = [];
    private int position;
    private long pendingBytes;
    private int pendingWrites;
    private bool isPaused;
    private bool isClosed;
    private StoreException? closedToData;
    private StoreException? closedToAll;

    /// <summary>Writes submitted and not yet reported.</summary>
    public int Pending => Volatile.Read(ref pendingWrites);

    /// <summary>How much of the bounds they take, 0 to 1.</summary>
    public double Fill => Math.Min(1, Math.Max(Pending / (double)options.MaxPendingWrites, Volatile.Read(ref pendingBytes) / (double)options.MaxPendingBytes));

    /// <summary>True once <see cref="Close"/> was called.</summary>
    public bool IsClosed => Volatile.Read(ref isClosed);

    /// <summary>Takes a write in. Any thread.</summary>
    /// <returns>Null if it will be reported by the writer; otherwise why it is refused.</returns>
    public StoreException? TryAdd(StoreWrite write)
    {
        var bytes = write.SizeBytes;
        lock (gate)
        {
            if (isClosed) return new StoreUnavailableException("The store is closed.");
            if (closedToAll is not null) return closedToAll;
            if (write.CarriesData)
            {
                if (closedToData is not null) return closedToData;
                // One write over the byte bound passes an empty queue, or it never could.
                if (pendingWrites >= options.MaxPendingWrites || (pendingWrites > 0 && pendingBytes + bytes > options.MaxPendingBytes))
                {
                    return new StoreFullException();
                }
            }

            write.AdmittedBytes = bytes;
            pendingBytes += bytes;
            pendingWrites += write.Count;
            incoming.Add(write);
            if (incoming.Count == 1) Monitor.Pulse(gate);
            return null;
        }
    }

    /// <summary>Fills a batch within its bounds, waiting for the first write. Writer thread.</summary>
    /// <returns>False once the queue is closed and empty.</returns>
    public bool Take(List<StoreWrite> batch)
    {
        if (position == taken.Count && !Swap(wait: true)) return false;

        var bytes = 0L;
        var writes = 0;
        while (position < taken.Count)
        {
            var next = taken[position];
            if (batch.Count > 0 && (writes + next.Count > options.MaxBatchWrites || bytes + next.AdmittedBytes > options.MaxBatchBytes)) break;
            bytes += next.AdmittedBytes;
            writes += next.Count;
            batch.Add(next);
            position++;
        }

        return true;
    }

    /// <summary>Takes everything there is without waiting. Writer thread.</summary>
    public void Drain(List<StoreWrite> into)
    {
        do
        {
            for (; position < taken.Count; position++) into.Add(taken[position]);
        }
        while (Swap(wait: false));
    }

    /// <summary>Gives room back for writes that are about to be reported. Writer thread.</summary>
    public void Release(List<StoreWrite> ended)
    {
        long bytes = 0;
        var writes = 0;
        foreach (var write in ended)
        {
            bytes += write.AdmittedBytes;
            writes += write.Count;
        }

        lock (gate)
        {
            pendingBytes -= bytes;
            pendingWrites -= writes;
        }
    }

    /// <summary>Refuses new data with this reason from now on; null opens again.</summary>
    public void RefuseData(StoreException? reason)
    {
        lock (gate) closedToData = reason;
    }

    /// <summary>Refuses everything with this reason from now on.</summary>
    public void RefuseAll(StoreException reason)
    {
        lock (gate) closedToAll = reason;
    }

    /// <summary>Waits until time has passed or the queue is closed. Writer thread.</summary>
    public void Pause(TimeSpan time, TimeProvider clock)
    {
        lock (gate) isPaused = !isClosed;
        using (clock.CreateTimer(static queue => ((WriteQueue)queue!).EndPause(), this, time, Timeout.InfiniteTimeSpan))
        {
            lock (gate)
            {
                while (isPaused) Monitor.Wait(gate);
            }
        }
    }

    /// <summary>Takes no more; what is in is still written.</summary>
    public void Close()
    {
        lock (gate) isClosed = true;
        EndPause();
    }

    private void EndPause()
    {
        lock (gate)
        {
            isPaused = false;
            Monitor.Pulse(gate);
        }
    }

    private bool Swap(bool wait)
    {
        taken.Clear();
        position = 0;
        lock (gate)
        {
            while (incoming.Count == 0)
            {
                if (!wait || isClosed) return false;
                Monitor.Wait(gate);
            }

            (incoming, taken) = (taken, incoming);
            return true;
        }
    }
}
