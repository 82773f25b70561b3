using Broker.Grains.Gateways;
using Broker.Grains.Interfaces.Gateways;
using Broker.Grains.Interfaces.Metrics;
using Broker.Grains.Interfaces.Routing;
using Broker.Grains.Interfaces.Topics;
using Broker.Grains.Storage;
using Microsoft.Extensions.Logging;

namespace Broker.Grains.Routing;

/// <summary>Compares a shard's routes with what gateways and stored sessions are subscribed to, and repairs what differs: which nothing should ever do.</summary>
/// <remarks>What changes while it looks makes no false repair: a route is taken out only if the shard had it before its owner was asked and the owner,
/// who never uses a number twice, does not have it; one put in that has just gone is found by the next audit.</remarks>
internal sealed partial class RouteAudit(int number, Shard shard, GatewayPoll gateways, IGatewayClient gatewayClient, BrokerStore store, ILogger log)
{
    /// <summary>Gateways whose digest differed when last looked at: they have changed meanwhile, or are wrong.</summary>
    private HashSet<SiloAddress> suspects = [];

    /// <summary>Looks once.</summary>
    /// <returns>How many routes were put in or taken out.</returns>
    public async Task<int> RunAsync(CancellationToken cancellation)
    {
        var repaired = await CheckGatewaysAsync(cancellation) + await CheckSessionsAsync();
        if (repaired == 0) return 0;
        BrokerCounters.Add(Metric.RoutesRepaired, repaired);
        LogRepaired(log, number, repaired);
        return repaired;
    }

    private async Task<int> CheckGatewaysAsync(CancellationToken cancellation)
    {
        var repaired = 0;
        var before = shard.Gateways();
        var different = new HashSet<SiloAddress>();
        foreach (var (gateway, digest) in await gateways.AskAllAsync(one => one.DigestOf(number), cancellation))
        {
            if (digest == before.GetValueOrDefault(gateway)) continue;
            different.Add(gateway);
            if (!suspects.Contains(gateway)) continue;
            var name = RouteDestination.OfGateway(gateway);
            repaired += Repair(shard.Snapshot(name), await gatewayClient.At(gateway).RoutesOf(number));
        }

        foreach (var gateway in before.Keys.Where(gateways.HasGone)) shard.Forget(gateway);
        suspects = different;
        return repaired;
    }

    private async Task<int> CheckSessionsAsync()
    {
        var known = shard.Snapshot(null);
        var stored = await store.LoadSubscriptionsAsync(number);
        return Repair(known, [.. stored.Select(one =>
            new RouteChange(TopicFilter.Parse(one.Subscription.Filter), RouteDestination.OfSession(one.ClientId), (ulong)one.Subscription.Number))]);
    }

    private int Repair(RouteChange[] known, RouteChange[] actual)
    {
        var waste = known.Except(actual).Select(route => route with { Remove = true });
        RouteChange[] changes = [.. waste, .. actual.Except(known)];
        return shard.TryChange(changes) ? changes.Length : 0;
    }

    [LoggerMessage(1, LogLevel.Warning, "Shard {Shard}: the audit repaired {Count} routes")]
    private static partial void LogRepaired(ILogger log, int shard, int count);
}
