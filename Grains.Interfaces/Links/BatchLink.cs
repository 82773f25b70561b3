using System.Runtime.InteropServices;

namespace Broker.Grains.Interfaces.Links;

/// <summary>A batched link: at most one call in flight; everything that arrives meanwhile travels in the next call.</summary>
/// <remarks>Order holds because of that alone: calls between processes are not ordered unless the one before was awaited.
/// No timer and no added latency when idle. A failed call is repeated with the same batch number, so that the receiver can drop
/// what it has seen. Thread-safe.</remarks>
/// <typeparam name="T">What travels.</typeparam>
public abstract class BatchLink<T>
{
    /// <summary>A batch is cut at so many bytes: a call of over 100 MB would close the connection that all grains of two processes share.</summary>
    private const int MaxBatchBytes = 512 * 1024;

    private readonly Lock gate = new();
    private readonly int capacity;
    private readonly int maxBatch;
    private readonly TimeSpan giveUpAfter;
    private readonly TimeProvider time;
    private readonly List<T> waiting = [];
    private bool running;
    private TaskCompletionSource? idle;
    private long number;

    /// <param name="capacity">How many items may wait; more are refused.</param>
    /// <param name="maxBatch">How many travel in one call at most.</param>
    /// <param name="giveUpAfter">How long a failing batch is repeated before <see cref="OnGivenUp"/>.</param>
    protected BatchLink(int capacity, int maxBatch, TimeSpan giveUpAfter, TimeProvider time)
    {
        this.capacity = capacity;
        this.maxBatch = maxBatch;
        this.giveUpAfter = giveUpAfter;
        this.time = time;
    }

    /// <summary>Names this link to its receiver; new with every start of the process.</summary>
    public Guid Id { get; } = Guid.NewGuid();

    /// <summary>True if nothing waits and nothing is in flight.</summary>
    public bool IsIdle
    {
        get
        {
            lock (gate) return !running;
        }
    }

    /// <summary>Completes when nothing waits and nothing is in flight.</summary>
    public Task WhenIdleAsync()
    {
        lock (gate) return running ? (idle ??= new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously)).Task : Task.CompletedTask;
    }

    /// <summary>How many items wait for the next call.</summary>
    public int Waiting
    {
        get
        {
            lock (gate) return waiting.Count;
        }
    }

    /// <summary>Lets an item travel.</summary>
    /// <returns>False if too many wait already; then the item was not taken.</returns>
    public bool TryEnqueue(T item)
    {
        lock (gate)
        {
            if (waiting.Count >= capacity) return false;
            waiting.Add(item);
            if (running) return true;
            running = true;
        }

        // Off the caller's thread: an event loop's or a grain's scheduler must not run the continuations.
        _ = Task.Run(RunAsync);
        return true;
    }

    /// <summary>One call. Throws when it is not known to have succeeded.</summary>
    protected abstract Task SendAsync(T[] batch, long batchNumber);

    /// <summary>A batch has been answered.</summary>
    /// <param name="took">Since it was sent first.</param>
    protected virtual void OnAnswered(TimeSpan took)
    {
    }

    /// <summary>True if the receiver has gone for good: a batch that fails is given up at once.</summary>
    protected virtual bool IsGone => false;

    /// <summary>The batch could not be delivered in time. All that waited goes with it, so that nothing overtakes what its maker sends again.</summary>
    protected abstract void OnGivenUp(T[] batch, Exception error);

    /// <summary>About how many bytes an item takes, so that a batch does not become too large; 0 if items are always small.</summary>
    protected virtual int SizeOf(in T item) => 0;

    private async Task RunAsync()
    {
        while (TryTakeBatch(out var batch))
        {
            if (await TrySendAsync(batch) is not { } error) continue;
            try
            {
                OnGivenUp([.. batch, .. TakeAll()], error);
            }
            catch
            {
                // It costs this batch and is seen as an unobserved exception; what waits behind travels all the same.
                _ = Task.Run(RunAsync);
                throw;
            }
        }
    }

    /// <returns>Null when it has arrived; otherwise why not.</returns>
    private async Task<Exception?> TrySendAsync(T[] batch)
    {
        var started = time.GetTimestamp();
        for (var delay = TimeSpan.FromMilliseconds(20); ; delay = TimeSpan.FromMilliseconds(Math.Min(delay.TotalMilliseconds * 2, 1000)))
        {
            try
            {
                await SendAsync(batch, number);
                OnAnswered(time.GetElapsedTime(started));
                return null;
            }
            catch (Exception error) // a host loop: whatever it is, the items are answered for
            {
                if (IsGone || time.GetElapsedTime(started) >= giveUpAfter) return error;
            }

            await Task.Delay(delay, time);
        }
    }

    private bool TryTakeBatch(out T[] batch)
    {
        lock (gate)
        {
            var count = CountOfNext();
            batch = waiting.GetRange(0, count).ToArray();
            if (count == waiting.Count) waiting.Clear();
            else waiting.RemoveRange(0, count);
            if (count > 0)
            {
                number++;
                return true;
            }

            running = false;
            idle?.SetResult();
            idle = null;
            return false;
        }
    }

    private T[] TakeAll()
    {
        lock (gate)
        {
            T[] all = [.. waiting];
            waiting.Clear();
            return all;
        }
    }

    /// <summary>How many of those that wait go together; one that is too large by itself goes alone.</summary>
    private int CountOfNext()
    {
        var most = Math.Min(waiting.Count, maxBatch);
        long bytes = 0;
        for (var count = 0; count < most; count++)
        {
            bytes += SizeOf(CollectionsMarshal.AsSpan(waiting)[count]);
            if (bytes > MaxBatchBytes) return Math.Max(count, 1);
        }

        return most;
    }
}
