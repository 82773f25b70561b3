using Broker.Grains.Interfaces.Nodes;
using Broker.Grains.Interfaces.Routing;
using Broker.Grains.Interfaces.Sessions;
using Broker.Grains.Interfaces.Topics;
using Broker.Grains.Storage;

namespace Broker.Grains.Routing;

/// <summary>The subscriptions of durable sessions, whether these are in memory or not, for the shards of this process.</summary>
internal sealed class DurableSubscriptions(LocalShards shards, BrokerStore store) : INodeResource
{
    public string Resource => NodeResources.DurableSubscriptions;

    public async ValueTask<NodePage> ReadAsync(string node, NodeQuery query)
    {
        if (query is { Filters: [], Limit: 0 }) return new NodePage(node, [], shards.All().Sum(shard => (long)shard.DurableCount), HasMore: false);
        var filter = new SubscriptionFilter(query.Filters);
        var (found, skipped) = (new List<SubscriptionRow>(), 0L);
        foreach (var number in shards.Numbers())
        {
            if (shards.Find(number) is not { DurableCount: > 0 } shard) continue;
            if (query.Filters.Length == 0 && skipped + shard.DurableCount <= query.Skip)
            {
                skipped += shard.DurableCount;
                continue;
            }

            foreach (var (clientId, subscription) in await store.LoadSubscriptionsAsync(number))
            {
                if (number != 0 && subscription.Shard == SessionSubscription.Broad) continue; // what lives in every shard is counted in the first
                if (!filter.MayHave(clientId)) continue;
                var topic = TopicFilter.Parse(subscription.Filter);
                if (filter.Matches(clientId, topic, subscription.Options)) found.Add(SubscriptionRow.Of(node, clientId, topic, subscription.Options));
            }

            if (skipped + found.Count > query.Skip + query.Limit) break; // enough, and one to tell that there are more
        }

        var page = NodePages.Select(node, query with { Skip = query.Skip - skipped }, found, row => row, SubscriptionJson.Default.SubscriptionRow);
        return page with { Found = page.Found + skipped };
    }
}
