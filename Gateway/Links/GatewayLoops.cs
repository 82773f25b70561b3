using Broker.Gateway.Hooks;
using Broker.Grains.Interfaces.Messages;
using Broker.Grains.Interfaces.Routing;
using DotNetty.Common.Concurrency;
using DotNetty.Transport.Channels;

namespace Broker.Gateway.Links;

/// <summary>The gateway's event loops and what belongs to each.</summary>
internal sealed class GatewayLoops
{
    private readonly RecentOrigins recent = new();
    private readonly Dictionary<IEventLoop, LoopContext> byLoop;

    public GatewayLoops(IEnumerable<IEventLoop> loops, ShardMap map, Pulse pulse, TimeProvider time, BrokerHooks? hooks = null, LoopTelemetry? telemetry = null)
    {
        All =
        [
            .. loops.Select((loop, index) => new LoopContext(index, loop, map, pulse, time)
            {
                Hooks = hooks ?? BrokerHooks.None,
                Latencies = telemetry?.Latencies,
                Watch = telemetry?.MakeWatch() ?? new DeliveryWatch(null, 0),
                Sampler = telemetry?.MakeSampler(),
            }),
        ];
        byLoop = All.ToDictionary(context => context.Loop);
    }

    public IReadOnlyList<LoopContext> All { get; }

    /// <summary>What belongs to a channel's loop.</summary>
    public LoopContext Of(IEventLoop loop) => byLoop[loop];

    /// <summary>Delivers a message to this gateway's sessions: at once on the given loop, by mailbox on the others.</summary>
    /// <param name="current">The loop this runs on; null on any other thread.</param>
    /// <param name="routes">In ascending order, by which they are grouped by loop.</param>
    public void Deliver(LoopContext? current, ApplicationMessage message, ReadOnlySpan<ulong> routes)
    {
        if (message.Origin is { } origin && !routes.IsEmpty && !recent.TryAdd(origin, routes[0])) return;
        while (!routes.IsEmpty)
        {
            var index = RouteId.Loop(routes[0]);
            var count = 1;
            while (count < routes.Length && RouteId.Loop(routes[count]) == index) count++;
            if (current?.Index == index)
            {
                current.Delivery.Deliver(message, routes[..count]);
                if (current.Delivery.IsBehind) current.Congested = current.Mailbox;
            }
            else if (index < All.Count)
            {
                var other = All[index];
                other.Mailbox.Post(new Letter(other.Delivery, 0, message, routes[..count].ToArray()));
                if (current is not null && other.Mailbox.IsFull) current.Congested = other.Mailbox;
            }

            routes = routes[count..];
        }
    }

    /// <summary>The routes of all loops that live in a shard.</summary>
    public async Task<RouteChange[]> RoutesOfAsync(int shard, RouteDestination self) =>
        [.. (await AskAllAsync(loop => loop.Filters.RoutesOf(shard, self), [])).SelectMany(part => part)];

    /// <summary>The digest of these routes.</summary>
    public async Task<RouteDigest> DigestOfAsync(int shard) =>
        (await AskAllAsync(loop => loop.Filters.DigestOf(shard), default)).Aggregate((all, part) => all + part);

    /// <param name="nothing">The answer of a loop that has ended, and with it all its connections.</param>
    private Task<T[]> AskAllAsync<T>(Func<LoopContext, T> question, T nothing) => Task.WhenAll(All.Select(async loop =>
    {
        try
        {
            return await loop.AskAsync(() => question(loop));
        }
        catch (RejectedExecutionException)
        {
            return nothing;
        }
    }));
}
