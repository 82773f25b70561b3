using DotNetty.Common.Concurrency;
using DotNetty.Transport.Channels;

namespace Broker.Gateway.Transport.Epoll;

/// <summary>A fixed number of epoll loops, given to channels in turn.</summary>
internal sealed class EpollEventLoopGroup : AbstractEventExecutorGroup, IEventLoopGroup
{
    private readonly EpollEventLoop[] loops;
    private uint next;

    /// <summary>Starts <paramref name="count"/> loops, one thread each.</summary>
    public EpollEventLoopGroup(int count)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(count, 1);
        loops = new EpollEventLoop[count];
        var terminations = new Task[count];
        for (int i = 0; i < count; i++)
        {
            loops[i] = new EpollEventLoop(this, $"epoll-{i}");
            terminations[i] = loops[i].TerminationCompletion;
        }

        TerminationCompletion = Task.WhenAll(terminations);
    }

    public new IEnumerable<IEventLoop> Items => loops;

    public override bool IsShuttingDown => Array.TrueForAll(loops, static loop => loop.IsShuttingDown);

    public override bool IsShutdown => Array.TrueForAll(loops, static loop => loop.IsShutdown);

    public override bool IsTerminated => Array.TrueForAll(loops, static loop => loop.IsTerminated);

    public override Task TerminationCompletion { get; }

    public override IEventExecutor GetNext() => NextLoop();

    IEventLoop IEventLoopGroup.GetNext() => NextLoop();

    public Task RegisterAsync(IChannel channel) => NextLoop().RegisterAsync(channel);

    public override Task ShutdownGracefullyAsync(TimeSpan quietPeriod, TimeSpan timeout)
    {
        foreach (EpollEventLoop loop in loops) loop.ShutdownGracefullyAsync(quietPeriod, timeout);
        return TerminationCompletion;
    }

    protected override IEnumerable<IEventExecutor> GetItems() => loops;

    private EpollEventLoop NextLoop() => loops[(Interlocked.Increment(ref next) - 1) % (uint)loops.Length];
}
