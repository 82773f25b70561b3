using System.Collections.Concurrent;
using System.Diagnostics;
using DotNetty.Common.Concurrency;
using DotNetty.Common.Internal.Logging;

namespace Broker.Gateway.Transport.Epoll;

/// <summary>The tasks waiting for one loop: those it queued itself, and those of other threads.</summary>
/// <remarks>
/// Two queues, so that work a loop hands to itself takes no interlocked step. Each thread's own tasks run in the order
/// it queued them; between threads there is no order.
/// </remarks>
internal sealed class LoopTasks
{
    // One turn's bounds: sockets are looked at again after this many tasks of each queue, or this long. The clock is read after every task,
    // some 25 ns, as one task may be a slice of a giant fan-out or its flush: 20 ms of system calls.
    private const int MaxTasksPerTurn = 1024;
    private static readonly long MaxTicksPerTurn = Stopwatch.Frequency / 200;
    private static readonly IInternalLogger Logger = InternalLoggerFactory.GetInstance<LoopTasks>();

    private readonly Queue<IRunnable> own = new();
    private readonly ConcurrentQueue<IRunnable> foreign = new();
    private volatile bool closed;
    private int adding;

    /// <summary>Whether nothing waits. The loop's thread only.</summary>
    public bool IsEmpty => own.Count == 0 && foreign.IsEmpty;

    /// <summary>Queues a task of the loop's own thread.</summary>
    public void AddOwn(IRunnable task) => own.Enqueue(task);

    /// <summary>Queues a task of another thread. Ends in a full fence, for the caller's look at the loop's sleep flag.</summary>
    /// <returns>False when closed: the task was not taken. A task that was taken runs; the framework finishes one twice that both ran and was refused.</returns>
    public bool TryAddForeign(IRunnable task)
    {
        Interlocked.Increment(ref adding);
        bool open = !closed;
        if (open) foreign.Enqueue(task);
        Interlocked.Decrement(ref adding);
        return open;
    }

    /// <summary>Takes no more tasks of other threads, and waits for those just being queued. What was taken still has to be run.</summary>
    public void Close()
    {
        closed = true;
        Interlocked.MemoryBarrier();
        var wait = new SpinWait();
        while (Volatile.Read(ref adding) != 0) wait.SpinOnce();
    }

    /// <summary>Runs waiting tasks within one turn's bounds: other threads' first, so that what they hand to the loop runs in the same turn.</summary>
    /// <returns>Whether any task ran.</returns>
    public bool RunTurn()
    {
        if (IsEmpty) return false;
        long end = Stopwatch.GetTimestamp() + MaxTicksPerTurn;
        int count = 0;
        while (count < MaxTasksPerTurn && foreign.TryDequeue(out IRunnable? task))
        {
            Run(task);
            count++;
            if (Stopwatch.GetTimestamp() >= end) break;
        }

        count = 0;
        while (count < MaxTasksPerTurn && own.TryDequeue(out IRunnable? task))
        {
            Run(task);
            count++;
            if (Stopwatch.GetTimestamp() >= end) break;
        }

        return true;
    }

    /// <summary>Runs one task; what it throws is logged and goes no further, for the loop serves other connections too.</summary>
    public static void Run(IRunnable task)
    {
        try
        {
            task.Run();
        }
        catch (Exception e)
        {
            Logger.Warn("A task of an event loop threw; the loop goes on.", e);
        }
    }
}
