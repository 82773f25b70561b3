using System.Diagnostics;
using DotNetty.Common;
using DotNetty.Common.Concurrency;
using DotNetty.Common.Internal.Logging;
using DotNetty.Transport.Channels;
using Completion = System.Threading.Tasks.TaskCompletionSource;

namespace Broker.Gateway.Transport.Epoll;

/// <summary>One thread that waits in epoll, reads and writes the sockets of its channels, and runs tasks and timers.</summary>
/// <remarks>
/// One turn is: socket events of one epoll_wait, then queued tasks, then due timers. A task queued while socket events are
/// handled therefore runs after all events of that batch, which is what lets a connection be flushed once per turn.
/// <see cref="TaskScheduler.Current"/> inside the loop is the loop's own, so awaits begun here resume here.
/// </remarks>
#pragma warning disable CA1001 // the thread disposes what the loop owns when it ends
internal sealed class EpollEventLoop : AbstractScheduledEventExecutor, IEventLoop
#pragma warning restore CA1001
{
    private const int Running = 0, ShuttingDown = 1, Shutdown = 2, Terminated = 3;
    private const ulong WakeupTag = ulong.MaxValue;
    private const int MaxTimersPerTurn = 1024;
    private const int ShutdownPollMilliseconds = 10;
    private static readonly IInternalLogger Logger = InternalLoggerFactory.GetInstance<EpollEventLoop>();

    private readonly LoopTasks tasks = new();
    private readonly ChannelTable channels = new();
    private readonly EpollSet epoll = new();
    private readonly WakeupHandle wakeup = WakeupHandle.Create();
    private readonly TaskScheduler scheduler;
    private readonly Thread thread;
    private readonly Completion termination = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly Lock shutdownGate = new();

    private volatile int state;
    // 1 from just before the loop's last look at the task queue until epoll_wait returned.
    private int asleep;
    private TimeSpan quietPeriod, shutdownTimeout;
    private long shutdownStarted, lastTaskRun;

    /// <summary>Creates the loop and starts its thread.</summary>
    public EpollEventLoop(IEventLoopGroup? parent, string threadName) : base(parent)
    {
        scheduler = new ExecutorTaskScheduler(this);
        epoll.Add(wakeup.Descriptor, LibC.EpollIn | LibC.EpollEdge, WakeupTag);
        thread = new Thread(Start) { IsBackground = true, Name = threadName };
        // Without the creator's execution context: its async locals would otherwise live as long as the loop.
        thread.UnsafeStart();
    }

    public new IEventLoopGroup? Parent => (IEventLoopGroup?)base.Parent;

    IEnumerable<IEventLoop> IEventLoopGroup.Items => [this];

    public override bool IsShuttingDown => state >= ShuttingDown;

    public override bool IsShutdown => state >= Shutdown;

    public override bool IsTerminated => state == Terminated;

    public override Task TerminationCompletion => termination.Task;

    /// <summary>For the channels' gathering writes; the loop's thread only.</summary>
    public GatherWriter Writer { get; } = new();

    public override bool IsInEventLoop(Thread t) => ReferenceEquals(t, thread);

    IEventLoop IEventLoopGroup.GetNext() => this;

    public Task RegisterAsync(IChannel channel) => channel.Unsafe.RegisterAsync(this);

    protected override IEnumerable<IEventExecutor> GetItems() => [this];

    /// <summary>Queues a task; any thread.</summary>
    /// <exception cref="RejectedExecutionException">The loop has shut down; the task will not run.</exception>
    public override void Execute(IRunnable task)
    {
        ArgumentNullException.ThrowIfNull(task);
        if (InEventLoop)
        {
            if (IsShutdown) throw Rejected();
            tasks.AddOwn(task);
            return;
        }

        if (!tasks.TryAddForeign(task)) throw Rejected();
        Wake();
    }

    public override Task ShutdownGracefullyAsync(TimeSpan quietPeriod, TimeSpan timeout)
    {
        lock (shutdownGate)
        {
            if (IsShuttingDown) return termination.Task;
            this.quietPeriod = quietPeriod;
            shutdownTimeout = timeout;
            state = ShuttingDown;
        }

        Interlocked.MemoryBarrier();
        Wake();
        return termination.Task;
    }

    /// <summary>Takes a channel in; it gets no events before <see cref="Watch"/>.</summary>
    /// <returns>The tag to give to the other methods.</returns>
    public ulong Register(EpollChannel channel) => channels.Add(channel);

    /// <summary>Lets a channel go: no event reaches it afterwards, not even one of the batch being handled.</summary>
    public void Deregister(ulong tag) => channels.Remove(tag);

    public void Watch(int fd, uint mask, ulong tag) => epoll.Add(fd, mask, tag);

    public void Rewatch(int fd, uint mask, ulong tag) => epoll.Modify(fd, mask, tag);

    public void Unwatch(int fd) => epoll.Remove(fd);

    // The fence before this call and the loop's fence in Wait make one of the two see the other: either the loop sees the
    // task and does not sleep, or this thread sees the flag and writes.
    private void Wake()
    {
        if (Volatile.Read(ref asleep) == 1 && Interlocked.Exchange(ref asleep, 0) == 1) wakeup.Signal();
    }

    private static RejectedExecutionException Rejected() => new("the event loop has shut down");

    private void Start()
    {
        SetCurrentExecutor(this);
        // The scheduler runs its first task in place, which makes it current for everything the loop calls.
        Task.Factory.StartNew(static loop => ((EpollEventLoop)loop!).Loop(), this, CancellationToken.None, TaskCreationOptions.None, scheduler);
    }

    private void Loop()
    {
        while (true)
        {
            try
            {
                if (ConfirmShutdown()) break;
                Turn();
            }
            catch (Exception e)
            {
                Logger.Warn("A turn of an event loop failed; the loop goes on.", e);
            }
        }

        state = Shutdown;
        tasks.Close();
        while (tasks.RunTurn())
        {
        }

        CloseChannels();
        state = Terminated;
        wakeup.Dispose();
        epoll.Dispose();
        Writer.Dispose();
        termination.SetResult();
    }

    private void Turn()
    {
        int count = Wait();
        for (int i = 0; i < count; i++)
        {
            ulong tag = epoll.Tag(i);
            if (tag != WakeupTag && channels.Find(tag) is { } channel) Dispatch(channel, epoll.Mask(i));
        }

        if (tasks.RunTurn()) lastTaskRun = Stopwatch.GetTimestamp();
        RunTimers();
    }

    private static void Dispatch(EpollChannel channel, uint mask)
    {
        try
        {
            channel.OnReady(mask);
        }
        catch (Exception e)
        {
            Logger.Warn("A channel failed to handle its socket's events.", e);
            // A listener stays: its acceptor answers an exception with a second's pause.
            if (channel is IServerChannel) channel.Pipeline.FireExceptionCaught(e);
            else channel.Unsafe.CloseAsync();
        }
    }

    private int Wait()
    {
        int timeout = WaitMilliseconds();
        if (timeout != 0)
        {
            Interlocked.Exchange(ref asleep, 1);
            if (!tasks.IsEmpty || (IsShuttingDown && shutdownStarted == 0)) timeout = 0;
        }

        int count = epoll.Wait(timeout);
        Volatile.Write(ref asleep, 0);
        return count;
    }

    private int WaitMilliseconds()
    {
        if (!tasks.IsEmpty) return 0;
        if (IsShuttingDown) return ShutdownPollMilliseconds;
        IScheduledRunnable? next = PeekScheduledTask();
        if (next is null) return -1;
        // Rounded up: waking just before a deadline would only turn the loop once more.
        double milliseconds = Math.Ceiling((next.Deadline - PreciseTimeSpan.FromStart).ToTimeSpan().TotalMilliseconds);
        return (int)Math.Clamp(milliseconds, 0, int.MaxValue);
    }

    private void RunTimers()
    {
        if (ScheduledTaskQueue.Count == 0) return;
        PreciseTimeSpan now = PreciseTimeSpan.FromStart;
        for (int i = 0; i < MaxTimersPerTurn && PollScheduledTask(now) is { } timer; i++) LoopTasks.Run(timer);
    }

    private bool ConfirmShutdown()
    {
        if (!IsShuttingDown) return false;
        long now = Stopwatch.GetTimestamp();
        if (shutdownStarted == 0) shutdownStarted = lastTaskRun = now;
        CloseChannels();
        CancelScheduledTasks();
        if (tasks.RunTurn()) lastTaskRun = Stopwatch.GetTimestamp();
        if (Stopwatch.GetElapsedTime(shutdownStarted) >= shutdownTimeout) return true;
        return tasks.IsEmpty && channels.Count == 0 && Stopwatch.GetElapsedTime(lastTaskRun) >= quietPeriod;
    }

    // Closing a channel queues its last events as tasks, so this is followed by a run of the queue.
    private void CloseChannels()
    {
        if (channels.Count == 0) return;
        foreach (EpollChannel channel in channels.Snapshot())
        {
            try
            {
                channel.Unsafe.CloseAsync();
            }
            catch (Exception e)
            {
                Logger.Warn("A channel could not be closed at shutdown.", e);
                channel.Unsafe.CloseForcibly();
            }
        }
    }
}
