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
    private readonly ILocalRetainedPartitions local;
    private readonly IGrainFactory grains;
    private readonly StoreLink[] links;
    private readonly ShardMap map;
    private readonly TimeProvider time;

    public RetainedLinks(ILocalRetainedPartitions local, IGrainFactory grains, ShardMap map, TimeProvider time)
    {
        (this.local, this.grains, this.map, this.time) = (local, grains, map, time);
        links = [.. Enumerable.Range(0, map.Count).Select(partition => new StoreLink(grains, partition, time))];
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

    /// <summary>Starts to read all retained messages that match a filter.</summary>
    public RetainedReader Read(in TopicFilter filter) => Read(filter, 0, null);

    /// <summary>Goes on where another reader has come to.</summary>
    public RetainedReader Read(in TopicFilter filter, int partition, TopicName? after)
    {
        var home = map.ShardOf(filter);
        return home == ShardMap.EveryShard ? new RetainedReader(this, filter, partition, after, map.Count) : new RetainedReader(this, filter, home, after, home + 1);
    }

    /// <summary>One page of one partition.</summary>
    public ValueTask<RetainedPage> MatchAsync(int partition, TopicFilter filter, TopicName? after, int limit)
    {
        if (local.Find(partition) is { } here && here.TryMatch(filter, after, limit, out var page)) return ValueTask.FromResult(page);
        return new ValueTask<RetainedPage>(GrainCalls.InsistAsync(() => grains.GetGrain<IRetainedGrain>(partition).Match(filter, after, limit), time));
    }

    /// <summary>Activates every partition.</summary>
    public Task WarmUpAsync() => Task.WhenAll(
        Enumerable.Range(0, map.Count).Select(partition => grains.GetGrain<IRetainedGrain>(partition).Match(TopicFilter.Parse("$warm-up"), null, 1)));

    private readonly record struct Retention(ApplicationMessage Message, PublishReceipt? Receipt);

    private sealed class StoreLink(IGrainFactory grains, int partition, TimeProvider time)
        : BatchLink<Retention>(capacity: 100_000, maxBatch: 1000, giveUpAfter: TimeSpan.FromSeconds(60), time)
    {
        protected override async Task SendAsync(Retention[] batch, long batchNumber)
        {
            var codes = await grains.GetGrain<IRetainedGrain>(partition).Store(Array.ConvertAll(batch, item => item.Message));
            for (var i = 0; i < batch.Length; i++) batch[i].Receipt?.Answer(codes[i]);
        }

        protected override void OnGivenUp(Retention[] batch, Exception error)
        {
            BrokerCounters.Add(Metric.MessagesRetainedDropped, batch.Length);
            foreach (var item in batch) item.Receipt?.Answer(ReasonCode.ServerBusy);
        }
    }
}

/// <summary>Reads the retained messages that match a filter, page by page, partition by partition. Not thread-safe.</summary>
internal sealed class RetainedReader(RetainedLinks links, TopicFilter filter, int from, TopicName? after, int to)
{
    /// <summary>The partition it is in.</summary>
    public int Partition { get; private set; } = from;

    /// <summary>Where in the partition; null at its beginning.</summary>
    public TopicName? After { get; private set; } = after;

    /// <summary>True when all have been read.</summary>
    public bool Done => Partition >= to;

    /// <summary>The next of them, possibly none, even before the end; it stays the next until <see cref="Advance"/>.</summary>
    /// <param name="limit">How many at most, 1 to 1,000.</param>
    public ValueTask<RetainedPage> ReadAsync(int limit) => links.MatchAsync(Partition, filter, After, limit);

    /// <summary>Passes over the partitions that hold nothing more.</summary>
    /// <returns>True if none does: all have been read.</returns>
    public async ValueTask<bool> SkipToNextAsync()
    {
        while (!Done)
        {
            var page = await ReadAsync(1);
            if (page.Messages.Length > 0) return false;
            Advance(page);
        }

        return true;
    }

    /// <summary>A page has been handed on.</summary>
    public void Advance(in RetainedPage page)
    {
        After = page.Next;
        if (After is null) Partition++;
    }
}
