using Broker.Grains.Gateways;
using Broker.Grains.Interfaces.Gateways;
using Broker.Grains.Interfaces.Metrics;
using Broker.Grains.Interfaces.Routing;
using Broker.Grains.Interfaces.Topics;
using Broker.Grains.Storage;
using Microsoft.Extensions.Logging;

namespace Broker.Grains.Routing;

/// <summary>Compares a shard's routes with what gateways and stored sessions are subscribed to, and repairs what differs: which nothing should ever do.</summary>
/// <remarks>What changes while it looks makes no false repair: a route must differ twice in the same way, and the shard is looked at before the route's owner, who
/// never uses a number twice. Should one be put in that has gone in the same moment, the next audits find it.</remarks>
internal sealed partial class RouteAudit(int number, Shard shard, GatewayPoll gateways, IGatewayClient gatewayClient, BrokerStore store, ILogger log)
{
    /// <summary>What had to be changed when last looked at.</summary>
    private HashSet<RouteChange> suspects = [];

    /// <summary>Looks once.</summary>
    /// <returns>How many routes were put in or taken out.</returns>
    public async Task<int> RunAsync(CancellationToken cancellation)
    {
        using var activity = BrokerActivities.AuditShard(number);
        var different = new HashSet<RouteChange>();
        await CompareGatewaysAsync(different, cancellation);
        await CompareSessionsAsync(different);
        var repaired = shard.Repair([.. different.Where(suspects.Contains)]);
        suspects = different;
        activity?.SetTag("broker.routes.repaired", repaired);
        if (repaired == 0) return 0;
        BrokerCounters.Add(Metric.RoutesRepaired, repaired);
        LogRepaired(log, number, repaired);
        return repaired;
    }

    private async Task CompareGatewaysAsync(HashSet<RouteChange> different, CancellationToken cancellation)
    {
        var before = shard.Gateways();
        foreach (var (gateway, digest) in await gateways.AskAllAsync(one => one.DigestOf(number), cancellation))
        {
            if (digest == before.GetValueOrDefault(gateway)) continue;
            Compare(different, shard.Snapshot(RouteDestination.OfGateway(gateway)), await gatewayClient.At(gateway).RoutesOf(number));
        }

        foreach (var gateway in before.Keys.Where(gateways.HasGone)) shard.Forget(gateway);
    }

    private async Task CompareSessionsAsync(HashSet<RouteChange> different)
    {
        var known = shard.Snapshot(null);
        var stored = await store.LoadSubscriptionsAsync(number);
        Compare(different, known, [.. stored.Select(one =>
            new RouteChange(TopicFilter.Parse(one.Subscription.Filter), RouteDestination.OfSession(one.ClientId), (ulong)one.Subscription.Number))]);
    }

    /// <summary>Adds what would make the known routes the actual ones.</summary>
    private static void Compare(HashSet<RouteChange> different, RouteChange[] known, RouteChange[] actual)
    {
        different.UnionWith(known.Except(actual).Select(route => route with { Remove = true }));
        different.UnionWith(actual.Except(known));
    }

    [LoggerMessage(1, LogLevel.Warning, "Shard {Shard}: the audit repaired {Count} routes")]
    private static partial void LogRepaired(ILogger log, int shard, int count);
}
