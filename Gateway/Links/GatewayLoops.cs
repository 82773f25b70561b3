using Broker.Grains.Interfaces.Routing;
using DotNetty.Transport.Channels;

namespace Broker.Gateway.Links;

/// <summary>The gateway's event loops and what belongs to each.</summary>
internal sealed class GatewayLoops
{
    private readonly Dictionary<IEventLoop, LoopContext> byLoop;

    public GatewayLoops(IEnumerable<IEventLoop> loops, TimeProvider time)
    {
        All = [.. loops.Select((loop, index) => new LoopContext(index, loop, time))];
        byLoop = All.ToDictionary(context => context.Loop);
    }

    public IReadOnlyList<LoopContext> All { get; }

    /// <summary>What belongs to a channel's loop.</summary>
    public LoopContext Of(IEventLoop loop) => byLoop[loop];

    /// <summary>The routes of all loops that live in a shard.</summary>
    public async Task<RouteChange[]> RoutesOfAsync(int shard, ShardMap map, RouteDestination self)
    {
        var parts = await Task.WhenAll(All.Select(context =>
        {
            var done = new TaskCompletionSource<List<RouteChange>>(TaskCreationOptions.RunContinuationsAsynchronously);
            context.Loop.Execute(() => done.SetResult(context.Filters.RoutesOf(shard, map, self)));
            return done.Task;
        }));
        return [.. parts.SelectMany(part => part)];
    }
}
