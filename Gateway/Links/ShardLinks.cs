using Broker.Grains.Interfaces.Links;
using Broker.Grains.Interfaces.Messages;
using Broker.Grains.Interfaces.Metrics;
using Broker.Grains.Interfaces.Routing;
using Broker.Grains.Interfaces.Topics;

namespace Broker.Gateway.Links;

/// <summary>This gateway's way to every shard: directly if the shard is in this process, by a batched link if not.</summary>
/// <remarks>The direct way is open only while the link is empty, so that order holds when a shard moves. A link finds its grain when it sends: a pure
/// front end knows of no grain before it has joined. Thread-safe.</remarks>
internal sealed class ShardLinks
{
    private readonly ILocalShards local;
    private readonly PublishLink[] publish;
    private readonly RouteLink[] routes;

    public ShardLinks(ILocalShards local, IGrainFactory grains, ShardMap map, ILocalSiloDetails silo, TimeProvider time, LatencyInstruments? latencies = null)
    {
        this.local = local;
        Map = map;
        Self = RouteDestination.OfGateway(silo.SiloAddress);
        publish = new PublishLink[map.Count];
        routes = new RouteLink[map.Count];
        for (var shard = 0; shard < map.Count; shard++)
        {
            publish[shard] = new PublishLink(grains, shard, time, latencies);
            routes[shard] = new RouteLink(grains, shard, time);
        }
    }

    public ShardMap Map { get; }

    /// <summary>This gateway as a destination.</summary>
    public RouteDestination Self { get; }

    /// <summary>Where a topic's messages go, if its shard is here and nothing is on the way to it.</summary>
    public bool TryMatch(int shard, TopicName topic, out IShardMatch match)
    {
        match = null!;
        return publish[shard].IsIdle && local.Find(shard) is { } here && here.TryMatch(topic, out match);
    }

    /// <summary>Sends a message to a shard that is elsewhere.</summary>
    public void Send(int shard, ApplicationMessage message, PublishReceipt? receipt)
    {
        receipt?.Expect();
        if (publish[shard].TryEnqueue(new Publication(message, receipt))) return;
        BrokerCounters.Add(Metric.MessagesDroppedLinkFull);
        receipt?.Answer(ReasonCode.QuotaExceeded);
    }

    /// <summary>Gives a message of a shared subscription to another member, directly if possible.</summary>
    public void Redispatch(int shard, TopicFilter filter, ApplicationMessage message, List<ulong> shared)
    {
        if (local.Find(shard) is { } here && here.TryRedispatch(filter, message, shared)) return;
        routes[shard].Redispatch(filter, message);
    }

    /// <summary>Tells the shards of new and gone routes, if all of them are here.</summary>
    /// <returns>False if they are not: then <see cref="ChangeAsync"/> must be called with the same changes (those already made are harmless).</returns>
    public bool TryChange(List<RouteChange> changes)
    {
        foreach (var change in changes)
        {
            var home = Map.ShardOf(change.Filter);
            var (from, to) = home == ShardMap.EveryShard ? (0, Map.Count) : (home, home + 1);
            for (var shard = from; shard < to; shard++)
            {
                if (!routes[shard].IsIdle || local.Find(shard) is not { } here || !here.TryChange(new ReadOnlySpan<RouteChange>(in change))) return false;
            }
        }

        return true;
    }

    /// <summary>Tells the shards of new and gone routes; completes when all of them know.</summary>
    public Task ChangeAsync(List<RouteChange> changes)
    {
        var done = new List<Task>(changes.Count);
        foreach (var change in changes)
        {
            var home = Map.ShardOf(change.Filter);
            var (from, to) = home == ShardMap.EveryShard ? (0, Map.Count) : (home, home + 1);
            for (var shard = from; shard < to; shard++) done.Add(routes[shard].ChangeAsync(change));
        }

        return Task.WhenAll(done);
    }

    /// <summary>Activates every shard, so that the first message finds it.</summary>
    public Task WarmUpAsync(IGrainFactory grains) =>
        Task.WhenAll(Enumerable.Range(0, Map.Count).Select(shard => grains.GetGrain<ITopicShardGrain>(shard).Ping()));

    private readonly record struct Publication(ApplicationMessage Message, PublishReceipt? Receipt);

    private sealed class PublishLink(IGrainFactory grains, int shard, TimeProvider time, LatencyInstruments? latencies)
        : BatchLink<Publication>(capacity: 100_000, maxBatch: 1000, giveUpAfter: TimeSpan.FromSeconds(60), time)
    {
        protected override async Task SendAsync(Publication[] batch, long batchNumber)
        {
            var codes = await grains.GetGrain<ITopicShardGrain>(shard).Publish(new PublishBatch(Id, batchNumber, Array.ConvertAll(batch, item => item.Message)));
            for (var i = 0; i < batch.Length; i++) batch[i].Receipt?.Answer(codes[i]);
        }

        protected override void OnAnswered(TimeSpan took) => latencies?.Answered("shard", took);

        protected override void OnGivenUp(Publication[] batch, Exception error)
        {
            BrokerCounters.Add(Metric.MessagesDroppedLinkFull, batch.Length);
            foreach (var item in batch) item.Receipt?.Answer(ReasonCode.ServerBusy);
        }
    }

    private readonly record struct RouteWork(RouteChange Change, ApplicationMessage? Redispatch, TaskCompletionSource? Done);

    private sealed class RouteLink(IGrainFactory grains, int shard, TimeProvider time)
        : BatchLink<RouteWork>(capacity: int.MaxValue, maxBatch: 5000, giveUpAfter: TimeSpan.FromSeconds(60), time)
    {
        public Task ChangeAsync(in RouteChange change)
        {
            var done = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            TryEnqueue(new RouteWork(change, null, done));
            return done.Task;
        }

        public void Redispatch(in TopicFilter filter, ApplicationMessage message) =>
            TryEnqueue(new RouteWork(new RouteChange(filter, null!, 0), message, null));

        protected override async Task SendAsync(RouteWork[] batch, long batchNumber)
        {
            var grain = grains.GetGrain<ITopicShardGrain>(shard);
            await grain.Change([.. batch.Where(work => work.Redispatch is null).Select(work => work.Change)]);
            foreach (var work in batch.Where(work => work.Redispatch is not null)) await grain.Redispatch(work.Change.Filter, [work.Redispatch!]);
            foreach (var work in batch) work.Done?.TrySetResult();
        }

        protected override void OnGivenUp(RouteWork[] batch, Exception error)
        {
            foreach (var work in batch) work.Done?.TrySetException(error);
        }
    }
}
