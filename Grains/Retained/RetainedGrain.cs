using Broker.Grains.Cluster;
using Broker.Grains.Interfaces.Messages;
using Broker.Grains.Interfaces.Retained;
using Broker.Grains.Interfaces.Routing;
using Broker.Grains.Interfaces.Topics;
using Broker.Grains.Storage;
using Microsoft.Extensions.Options;
using Orleans.GrainDirectory;

namespace Broker.Grains.Retained;

/// <summary>The retained partitions that are active in this process. Thread-safe.</summary>
internal sealed class LocalRetainedPartitions(ShardMap map) : LocalTable<RetainedPartition>(map.Count), ILocalRetainedPartitions
{
    ILocalRetained? ILocalRetainedPartitions.Find(int partition) => Find(partition);
}

/// <inheritdoc cref="IRetainedGrain"/>
[KeepAlive, EvenPlacement, GrainDirectory(GrainDirectoryName = ClusterDirectory.Name)]
internal sealed class RetainedGrain(
    LocalRetainedPartitions local, NodeFences fences, BrokerStore store, IOptions<RetainedOptions> options, RetainedBudget budget, TimeProvider time) : Grain, IRetainedGrain
{
    private static readonly TimeSpan SweepPeriod = TimeSpan.FromMinutes(1);
    private RetainedPartition? partition;

    private int Number => (int)this.GetPrimaryKeyLong();

    public override async Task OnActivateAsync(CancellationToken cancellationToken)
    {
        await fences.EnsureAsync();
        partition = new RetainedPartition(Number, store, options.Value, budget, time);
        try
        {
            await foreach (var message in store.LoadRetainedAsync(Number, cancellationToken)) partition.Restore(message);
        }
        catch
        {
            partition.Close(); // what it has counted is counted again by the next activation
            throw;
        }

        this.RegisterGrainTimer(
            static (partition, _) =>
            {
                partition.RemoveExpired();
                return Task.CompletedTask;
            },
            partition,
            new GrainTimerCreationOptions(SweepPeriod, SweepPeriod));
        local.Open(Number, partition);
    }

    public override async Task OnDeactivateAsync(DeactivationReason reason, CancellationToken cancellationToken)
    {
        local.Close(Number);
        partition?.Close();
        await store.FlushAsync(); // the next activation reads what this one has written
    }

    public Task MoveTo(SiloAddress silo) => this.MigrateTo(silo);

    public Task Ping() => Task.CompletedTask;

    public Task<ReasonCode[]> Store(ApplicationMessage[] messages) => Task.WhenAll(messages.Select(message =>
    {
        var receipt = new TaskReceipt();
        if (!partition!.TryStore(message, receipt)) receipt.Answer(ReasonCode.ServerBusy);
        return receipt.Completion;
    }));

    public Task<RetainedPage> Match(TopicFilter filter, TopicName? after, int limit)
    {
        partition!.TryMatch(filter, after, limit, out var page);
        return Task.FromResult(page);
    }
}
