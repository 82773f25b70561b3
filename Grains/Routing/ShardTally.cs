using Broker.Grains.Interfaces.Metrics;
using Broker.Grains.Interfaces.Routing;

namespace Broker.Grains.Routing;

/// <summary>What one shard contributes to its process's gauges. Under the shard's lock.</summary>
/// <remarks>Durable subscriptions are counted here and not at their sessions, most of which are not in memory while their clients are away.</remarks>
internal sealed class ShardTally(int number, ShardMap map, BrokerGauges gauges)
{
    private int topics;
    private int unshared;
    private int shared;

    /// <summary>How many durable subscriptions are counted here.</summary>
    public int Durable => unshared + shared;

    /// <summary>A route has been added or removed.</summary>
    /// <param name="change">What was done.</param>
    /// <param name="filters">By how much the number of filters has changed.</param>
    public void Count(in RouteChange change, int filters)
    {
        // What lives in every shard is counted in the first.
        if (number != 0 && map.ShardOf(change.Filter) == ShardMap.EveryShard) return;
        if (filters != 0)
        {
            topics += filters;
            gauges.Add(Gauge.Topics, filters);
        }

        if (change.Destination.ClientId is null) return; // a transient session's subscriptions are counted by its gateway
        var amount = change.Remove ? -1 : 1;
        if (change.Filter.IsShared) shared += amount;
        else unshared += amount;
        gauges.AddSubscriptions(change.Filter.IsShared, amount);
    }

    /// <summary>The shard leaves this process.</summary>
    public void Clear()
    {
        gauges.Add(Gauge.Topics, -topics);
        gauges.AddSubscriptions(isShared: false, -unshared);
        gauges.AddSubscriptions(isShared: true, -shared);
        (topics, unshared, shared) = (0, 0, 0);
    }
}
