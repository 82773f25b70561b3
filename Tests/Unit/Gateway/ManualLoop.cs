using System.Diagnostics.CodeAnalysis;
using Broker.Tests.Unit.Grains.Storage;
using DotNetty.Common.Concurrency;
using DotNetty.Transport.Channels;

namespace Broker.Tests.Unit.Gateway;

/// <summary>An event loop that runs only when it is told to, on the thread of the test that made it.</summary>
[SuppressMessage("Design", "CA1001", Justification = "nothing in it needs disposing")]
internal sealed class ManualLoop(ManualClock clock) : AbstractScheduledEventExecutor, IEventLoop
{
    private Thread owner = Thread.CurrentThread;
    private readonly Queue<IRunnable> tasks = new();
    private readonly List<(TimeSpan Due, IRunnable Task)> timers = [];
    private TimeSpan now;

    /// <summary>How many tasks wait.</summary>
    public int Waiting
    {
        get
        {
            lock (tasks) return tasks.Count;
        }
    }

    /// <summary>It takes no more tasks.</summary>
    public bool HasEnded { get; set; }

    /// <summary>How many timers are set.</summary>
    public int Timers => timers.Count;

    IEventLoopGroup? IEventLoop.Parent => null;

    IEnumerable<IEventLoop> IEventLoopGroup.Items => [this];

    public override bool IsShuttingDown => false;

    public override bool IsShutdown => false;

    public override bool IsTerminated => false;

    public override Task TerminationCompletion => throw new NotSupportedException();

    public override bool IsInEventLoop(Thread thread) => ReferenceEquals(thread, owner);

    IEventLoop IEventLoopGroup.GetNext() => this;

    public Task RegisterAsync(IChannel channel) => throw new NotSupportedException();

    public override void Execute(IRunnable task)
    {
        if (HasEnded) throw new RejectedExecutionException();
        lock (tasks) tasks.Enqueue(task);
    }

    public override IScheduledTask Schedule(IRunnable action, TimeSpan delay)
    {
        timers.Add((now + delay, action));
        return null!; // nobody keeps it
    }

    public override Task ShutdownGracefullyAsync(TimeSpan quietPeriod, TimeSpan timeout) => throw new NotSupportedException();

    /// <summary>Its thread is the caller's from now on.</summary>
    public void Bind() => owner = Thread.CurrentThread;

    /// <summary>Runs the task that has waited longest.</summary>
    public void RunOne()
    {
        IRunnable? task;
        lock (tasks) task = tasks.Dequeue();
        task.Run();
    }

    /// <summary>Runs tasks until none is left.</summary>
    public void RunAll()
    {
        while (Waiting > 0) RunOne();
    }

    /// <summary>Lets time pass, and then runs what has come due by it: timers set meanwhile wait for the next time.</summary>
    public void Advance(TimeSpan time)
    {
        clock.Advance(time);
        now += time;
        var due = timers.FindAll(timer => timer.Due <= now);
        timers.RemoveAll(timer => timer.Due <= now);
        foreach (var (_, task) in due.OrderBy(timer => timer.Due)) task.Run();
        RunAll();
    }

    protected override IEnumerable<IEventExecutor> GetItems() => [this];
}
