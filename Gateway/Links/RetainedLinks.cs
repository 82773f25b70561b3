using Broker.Grains.Interfaces.Links;
using Broker.Grains.Interfaces.Messages;
using Broker.Grains.Interfaces.Metrics;
using Broker.Grains.Interfaces.Retained;
using Broker.Grains.Interfaces.Routing;
using Broker.Grains.Interfaces.Topics;

namespace Broker.Gateway.Links;

/// <summary>This gateway's way to the retained messages: directly if the partition is in this process, by a batched link if not. Thread-safe.</summary>
internal sealed class RetainedLinks
{
    private const int PageSize = 500;

    private readonly ILocalRetainedPartitions local;
    private readonly IRetainedGrain[] partitions;
    private readonly StoreLink[] links;
    private readonly ShardMap map;

    public RetainedLinks(ILocalRetainedPartitions local, IGrainFactory grains, ShardMap map, TimeProvider time)
    {
        this.local = local;
        this.map = map;
        partitions = [.. Enumerable.Range(0, map.Count).Select(partition => grains.GetGrain<IRetainedGrain>(partition))];
        links = [.. partitions.Select(partition => new StoreLink(partition, time))];
    }

    /// <summary>Stores, replaces or deletes a retained message.</summary>
    public void Store(int partition, ApplicationMessage message, PublishReceipt? receipt)
    {
        receipt?.Expect();
        if (links[partition].IsIdle && local.Find(partition) is { } here && here.TryStore(message, receipt)) return;
        if (links[partition].TryEnqueue(new Retention(message, receipt))) return;
        BrokerCounters.Add(Metric.MessagesRetainedDropped);
        receipt?.Answer(ReasonCode.QuotaExceeded);
    }

    /// <summary>All retained messages that match a filter, page by page.</summary>
    public async IAsyncEnumerable<ApplicationMessage[]> MatchAsync(TopicFilter filter)
    {
        var home = map.ShardOf(filter);
        var (from, to) = home == ShardMap.EveryShard ? (0, map.Count) : (home, home + 1);
        for (var partition = from; partition < to; partition++)
        {
            TopicName? after = null;
            do
            {
                if (local.Find(partition) is not { } here || !here.TryMatch(filter, after, PageSize, out var page))
                {
                    // Off the event loop: its scheduler must not run the grain call's continuations.
                    var (grain, start) = (partitions[partition], after);
                    page = await Task.Run(() => grain.Match(filter, start, PageSize));
                }

                after = page.Next;
                if (page.Messages.Length > 0) yield return page.Messages;
            }
            while (after is not null);
        }
    }

    /// <summary>Activates every partition.</summary>
    public Task WarmUpAsync() => Task.WhenAll(partitions.Select(partition => partition.Match(TopicFilter.Parse("$warm-up"), null, 1)));

    private readonly record struct Retention(ApplicationMessage Message, PublishReceipt? Receipt);

    private sealed class StoreLink(IRetainedGrain grain, TimeProvider time)
        : BatchLink<Retention>(capacity: 100_000, maxBatch: 1000, giveUpAfter: TimeSpan.FromSeconds(60), time)
    {
        protected override async Task SendAsync(Retention[] batch, long batchNumber)
        {
            var codes = await grain.Store(Array.ConvertAll(batch, item => item.Message));
            for (var i = 0; i < batch.Length; i++) batch[i].Receipt?.Answer(codes[i]);
        }

        protected override void OnGivenUp(Retention[] batch, Exception error)
        {
            BrokerCounters.Add(Metric.MessagesRetainedDropped, batch.Length);
            foreach (var item in batch) item.Receipt?.Answer(ReasonCode.ServerBusy);
        }
    }
}
