using Broker.Grains.Interfaces.Nodes;
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
        var page = new PageBuilder<SubscriptionRow>(query);
        foreach (var number in shards.Numbers())
        {
            if (page.IsFull) break;
            if (shards.Find(number) is not { DurableCount: > 0 } shard || page.Passes(shard.DurableCount)) continue;
            page.Add(
                from one in await store.LoadSubscriptionsAsync(number)
                where (number == 0 || one.Subscription.Shard != SessionSubscription.Broad) && filter.MayHave(one.ClientId) // what lives in every shard is counted in the first
                let topic = TopicFilter.Parse(one.Subscription.Filter)
                where filter.Matches(one.ClientId, topic, one.Subscription.Options)
                select SubscriptionRow.Of(node, one.ClientId, topic, one.Subscription.Options));
        }

        return page.Build(node, row => row, SubscriptionJson.Default.SubscriptionRow);
    }
}
