using Broker.Grains.Cluster;
using Broker.Grains.Interfaces.Delayed;
using Broker.Grains.Interfaces.Links;
using Broker.Grains.Interfaces.Messages;
using Broker.Grains.Interfaces.Routing;
using Broker.Grains.Storage;
using Orleans.Concurrency;
using Orleans.GrainDirectory;

namespace Broker.Grains.Delayed;

/// <summary>The partitions of waiting messages that are active in this process. Thread-safe.</summary>
internal sealed class LocalDelayedPartitions(ShardMap map) : LocalTable<DelayedPartition>(map.Count), ILocalDelayedPartitions
{
    ILocalDelayed? ILocalDelayedPartitions.Find(int partition) => Find(partition);
}

/// <inheritdoc cref="IDelayedGrain"/>
/// <remarks>Reentrant, so that links of different processes do not wait for each other's commits: what they share is under the partition's lock, and order comes
/// from the links, which have one call in flight.</remarks>
[Reentrant, KeepAlive, EvenPlacement, GrainDirectory(GrainDirectoryName = ClusterDirectory.Name)]
internal sealed class DelayedGrain(LocalDelayedPartitions local, NodeFences fences, BrokerStore store, DelayedServicesFactory factory, TimeProvider time) : Grain, IDelayedGrain
{
    private readonly ReceivedBatches<Task<ReasonCode[]>> seen = new(time);
    private DelayedPartition? partition;

    private int Number => (int)this.GetPrimaryKeyLong();

    public override async Task OnActivateAsync(CancellationToken cancellationToken)
    {
        await fences.EnsureAsync();
        var (stored, taken) = await store.ReadDelayedAsync(reader => (reader.ReadState(Number), reader.ReadOrigins(Number)));
        partition = new DelayedPartition(Number, stored, taken, factory.Create());
        _ = partition.Broken.ContinueWith(
            static (_, grain) => ((DelayedGrain)grain!).DeactivateOnIdle(), this, cancellationToken, TaskContinuationOptions.None, TaskScheduler.Current);
        local.Open(Number, partition);
    }

    public override async Task OnDeactivateAsync(DeactivationReason reason, CancellationToken cancellationToken)
    {
        local.Close(Number);
        if (partition is not null) await partition.CloseAsync(cancellationToken);
        await store.FlushAsync(); // the next activation reads what this one has written
    }

    public Task MoveTo(SiloAddress silo) => this.MigrateTo(silo);

    public Task Ping() => Task.CompletedTask;

    public Task<ReasonCode[]> Store(DelayedBatch batch)
    {
        if (!seen.Contains(batch.Link, batch.Number, out var answer)) seen.Add(batch.Link, batch.Number, answer = StoreAsync(batch.Messages));
        return answer ?? Task.FromResult<ReasonCode[]>([]);
    }

    private Task<ReasonCode[]> StoreAsync(DelayedMessage[] messages) => Task.WhenAll(messages.Select(message =>
    {
        var receipt = new TaskReceipt();
        if (!partition!.TryStore(message, receipt)) receipt.Answer(ReasonCode.ServerBusy);
        return receipt.Completion;
    }));
}
