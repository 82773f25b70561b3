using Broker.Grains.Interfaces.Clients;
using Broker.Grains.Interfaces.Cluster;
using Broker.Grains.Interfaces.Delayed;
using Broker.Grains.Interfaces.Retained;
using Broker.Grains.Interfaces.Routing;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Broker.Grains.Cluster;

/// <summary>Keeps shards and the partitions of retained messages, delayed messages and clients evenly spread when silos join and leave. The silo with the lowest address acts.</summary>
/// <remarks>The four kinds of one number go to one silo: what a message needs is then in one process.</remarks>
internal sealed partial class SpreadKeeper(
    IClusterMembershipService membership, ILocalSiloDetails self, ISpreadClient nodes, IGrainFactory grains, ShardMap map, TimeProvider time,
    ILogger<SpreadKeeper> log) : BackgroundService
{
    /// <summary>Silos come and go in groups.</summary>
    private static readonly TimeSpan Settling = TimeSpan.FromMilliseconds(500);

    /// <summary>What could not be done, or was placed unevenly since, is put right then.</summary>
    private static readonly TimeSpan Period = TimeSpan.FromSeconds(15);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        try
        {
            await using var changes = membership.MembershipUpdates.GetAsyncEnumerator(stoppingToken);
            var next = changes.MoveNextAsync().AsTask();
            while (true)
            {
                await Task.WhenAny(next, Task.Delay(Period, time, stoppingToken));
                if (next.IsCompleted)
                {
                    if (!await next) return;
                    next = changes.MoveNextAsync().AsTask();
                }

                await Task.Delay(Settling, time, stoppingToken);
                await TrySpreadAsync();
            }
        }
        catch (OperationCanceledException)
        {
            // The silo stops.
        }
    }

    private async Task TrySpreadAsync()
    {
        try
        {
            await SpreadAsync();
        }
        catch (Exception fault) // a host loop: some silo went away in the middle; the next round sees to it
        {
            LogPutOff(log, fault.Message);
        }
    }

    private async Task SpreadAsync()
    {
        var active = membership.CurrentSnapshot.Members.Values.Where(member => member.Status == SiloStatus.Active).Select(member => member.SiloAddress);
        var held = new SortedDictionary<SiloAddress, HeldGrains>();
        foreach (var silo in active)
        {
            var answer = await nodes.At(silo).Held();
            if (answer.HostsGrains) held.Add(silo, answer);
        }

        if (held.Count == 0 || !held.First().Key.Equals(self.SiloAddress)) return;
        var plan = SpreadPlan.Make(map.Count, [.. held.Keys], Whereabouts(held, one => one.Shards));
        var moved = await Task.WhenAll(
            MoveAsync<ITopicShardGrain>(plan, Whereabouts(held, one => one.Shards)),
            MoveAsync<IRetainedGrain>(plan, Whereabouts(held, one => one.Retained)),
            MoveAsync<IClientRegistryGrain>(plan, Whereabouts(held, one => one.Clients)),
            MoveAsync<IDelayedGrain>(plan, Whereabouts(held, one => one.Delayed ?? [])));
        if (moved.Sum() > 0) LogSpread(log, moved.Sum(), held.Count);
    }

    /// <summary>Moves those that are elsewhere than planned. Those that are nowhere are made there, and left alone if they come up elsewhere at this moment: to move
    /// one that is just coming up blocks it for the length of a call.</summary>
    private async Task<int> MoveAsync<TGrain>(SiloAddress[] plan, Dictionary<int, SiloAddress> now)
        where TGrain : ISpreadGrain
    {
        var (done, moved) = (new List<Task>(), 0);
        for (var number = 0; number < plan.Length; number++)
        {
            var grain = grains.GetGrain<TGrain>(number);
            RequestContext.Set(Orleans.Runtime.Placement.IPlacementDirector.PlacementHintKey, plan[number]);
            if (!now.TryGetValue(number, out var silo))
            {
                done.Add(grain.Ping());
            }
            else if (!silo.Equals(plan[number]))
            {
                done.Add(grain.MoveTo(plan[number]));
                moved++;
            }
        }

        RequestContext.Clear();
        await Task.WhenAll(done);
        return moved;
    }

    private static Dictionary<int, SiloAddress> Whereabouts(SortedDictionary<SiloAddress, HeldGrains> held, Func<HeldGrains, int[]> kind)
    {
        var found = new Dictionary<int, SiloAddress>();
        foreach (var (silo, grains) in held)
        {
            foreach (var number in kind(grains)) found[number] = silo;
        }

        return found;
    }

    [LoggerMessage(1, LogLevel.Information, "{Count} partitions move, to be spread evenly over {Silos} silos")]
    private static partial void LogSpread(ILogger log, int count, int silos);

    [LoggerMessage(2, LogLevel.Information, "Spreading partitions is put off: {Reason}")]
    private static partial void LogPutOff(ILogger log, string reason);
}
