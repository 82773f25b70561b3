using Broker.Grains.Delayed;
using Broker.Grains.Interfaces.Clients;
using Broker.Grains.Interfaces.Messages;
using Broker.Grains.Interfaces.Metrics;
using Broker.Grains.Interfaces.Plugins;
using Broker.Grains.Interfaces.Retained;
using Broker.Grains.Interfaces.Routing;
using Broker.Grains.Interfaces.Sessions;
using Broker.Grains.Interfaces.Topics;

namespace Broker.Grains.Sessions;

/// <summary>What a session grain asks of the other grains: to publish its will, to route to it, to forget it.</summary>
internal sealed class SessionPublisher(IGrainFactory grains, ShardMap map, IBrokerHooks hooks, DelayedModule delayed)
{
    /// <summary>Publishes a session's will; completes when everybody has it who must.</summary>
    public async Task PublishAsync(ApplicationMessage will)
    {
        if (await hooks.PublishingAsync(will) is not { } message) return;
        BrokerCounters.Add(Metric.MessagesPublish);
        if (await delayed.TryStoreAsync(message)) return;
        var shard = map.ShardOf(message.Topic);
        if (message.Retain) await grains.GetGrain<IRetainedGrain>(shard).Store([message]);
        // A link of its own for each: several may be on their way at a time, and none must look like a repetition of another.
        await grains.GetGrain<ITopicShardGrain>(shard).Publish(new PublishBatch(Guid.NewGuid(), 1, [message]));
    }

    /// <summary>Adds and removes routes in the shards they live in.</summary>
    public Task ChangeRoutesAsync(IEnumerable<RouteChange> changes)
    {
        var byShard = new Dictionary<int, List<RouteChange>>();
        foreach (var change in changes)
        {
            var home = map.ShardOf(change.Filter);
            var (from, to) = home == ShardMap.EveryShard ? (0, map.Count) : (home, home + 1);
            for (var shard = from; shard < to; shard++)
            {
                if (!byShard.TryGetValue(shard, out var list)) byShard.Add(shard, list = []);
                list.Add(change);
            }
        }

        return Task.WhenAll(byShard.Select(pair => grains.GetGrain<ITopicShardGrain>(pair.Key).Change([.. pair.Value])));
    }

    /// <summary>Adds the route of an exclusive filter in the shard that decides, if nobody else holds it.</summary>
    public async Task<bool> ClaimAsync(RouteChange change) =>
        (await grains.GetGrain<ITopicShardGrain>(map.DecidingShardOf(change.Filter)).Claim([change], [true]))[0];

    /// <summary>Gives what the session leaves behind to other members of its shared subscriptions.</summary>
    public Task RedispatchAsync(IEnumerable<Delivery> deliveries) => Task.WhenAll(deliveries.GroupBy(delivery => delivery.Share!).Select(async group =>
    {
        foreach (var delivery in group)
        {
            await grains.GetGrain<ITopicShardGrain>(map.ShardOf(delivery.Message.Topic)).Redispatch(TopicFilter.Parse(group.Key), [delivery.Message]);
        }
    }));

    /// <summary>Counts that a session has ended, and tells hooks.</summary>
    public void Count(string clientId, Metric ending)
    {
        BrokerCounters.Add(ending);
        hooks.SessionEnded(clientId, isDiscarded: ending == Metric.SessionDiscarded);
    }

    /// <summary>Tells the client registry that the session is gone.</summary>
    public Task ForgetAsync(string clientId, ClientLocation? endedWith) =>
        grains.GetGrain<IClientRegistryGrain>(map.PartitionOf(clientId)).Forget(clientId, endedWith);
}
