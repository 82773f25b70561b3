using Broker.Gateway.Modules;
using Broker.Grains.Interfaces.Delayed;
using Broker.Grains.Interfaces.Links;
using Broker.Grains.Interfaces.Messages;
using Broker.Grains.Interfaces.Metrics;
using Broker.Grains.Interfaces.Routing;

namespace Broker.Gateway.Links;

/// <summary>This gateway's way to the messages that wait for their time: directly if the partition is in this process, by a batched link if not. Thread-safe.</summary>
internal sealed class DelayedLinks
{
    private readonly ILocalDelayedPartitions local;
    private readonly IGrainFactory grains;
    private readonly StoreLink[] links;
    private readonly Modules.Modules modules;
    private readonly Module module;

    public DelayedLinks(ILocalDelayedPartitions local, IGrainFactory grains, Modules.Modules modules, ShardMap map, TimeProvider time)
    {
        (this.local, this.grains, this.modules) = (local, grains, modules);
        module = modules.Find(Modules.Modules.Delayed)!;
        links = [.. Enumerable.Range(0, map.Count).Select(partition => new StoreLink(grains, partition, time))];
    }

    /// <summary>Whether the module is on.</summary>
    public bool IsOn => modules.IsActive(module);

    /// <summary>Activates every partition, so that what is overdue is published. Where that does not work nobody waits for it: silos of an earlier version know of none,
    /// and the first message, or the next spreading, brings a partition up as well.</summary>
    public async Task WarmUpAsync()
    {
        try
        {
            await Task.WhenAll(Enumerable.Range(0, links.Length).Select(partition => grains.GetGrain<IDelayedGrain>(partition).Ping()));
        }
        catch (Exception fault) when (GrainCalls.MayPass(fault))
        {
            // As it says.
        }
    }

    /// <summary>Stores a message until its time has come.</summary>
    /// <param name="delay">Where it was published.</param>
    /// <param name="nowMs">When, in Unix milliseconds.</param>
    public void Store(int partition, DelayedTopic delay, ApplicationMessage message, long nowMs, PublishReceipt? receipt)
    {
        receipt?.Expect();
        if (!delay.TryMake(message, nowMs, out var waiting))
        {
            Refuse(receipt, ReasonCode.TopicNameInvalid);
            return;
        }

        if (links[partition].IsIdle && local.Find(partition) is { } here && here.TryStore(waiting, receipt)) return;
        if (!links[partition].TryEnqueue(new Waiting(waiting, receipt))) Refuse(receipt, ReasonCode.QuotaExceeded);
    }

    private static void Refuse(PublishReceipt? receipt, ReasonCode code)
    {
        BrokerCounters.Add(Metric.MessagesDelayedDropped);
        receipt?.Answer(code);
    }

    private readonly record struct Waiting(DelayedMessage Message, PublishReceipt? Receipt);

    private sealed class StoreLink(IGrainFactory grains, int partition, TimeProvider time)
        : BatchLink<Waiting>(capacity: 100_000, maxBatch: 1000, giveUpAfter: TimeSpan.FromSeconds(60), time)
    {
        protected override int SizeOf(in Waiting item) => item.Message.Message.Payload.Length + item.Message.Message.Topic.Utf8.Length;

        protected override async Task SendAsync(Waiting[] batch, long batchNumber)
        {
            var codes = await grains.GetGrain<IDelayedGrain>(partition).Store(new DelayedBatch(Id, batchNumber, Array.ConvertAll(batch, item => item.Message)));
            for (var i = 0; i < batch.Length; i++) batch[i].Receipt?.Answer(codes[i]);
        }

        protected override void OnGivenUp(Waiting[] batch, Exception error)
        {
            foreach (var item in batch) Refuse(item.Receipt, ReasonCode.ServerBusy);
        }
    }
}
