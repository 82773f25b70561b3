using Broker.Grains.Clients;
using Broker.Grains.Interfaces.Cluster;
using Broker.Grains.Interfaces.Metrics;
using Broker.Grains.Interfaces.Sessions;
using Broker.Grains.Routing;
using Broker.Grains.Storage;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Broker.Grains.Cluster;

/// <summary>Takes a process that was declared dead out of everything that is active here, fences it in the store, and sees that its wills are published
/// and that the sweeper of what is due is up.</summary>
/// <remarks>Every process that hosts grains does all of it: each part is harmless when it is done twice, and one of them may die in the middle.</remarks>
internal sealed partial class NodeWatch(
    ISiloStatusOracle silos, NodeFences fences, BrokerStore store, IGrainFactory grains, LocalShards shards, LocalClientRegistries clients, NodeRole role,
    ILogger<NodeWatch> log) : BackgroundService, ISiloStatusListener
{
    private static readonly TimeSpan Period = TimeSpan.FromSeconds(10);

    private readonly SemaphoreSlim died = new(0);

    public void SiloStatusChangeNotification(SiloAddress updatedSilo, SiloStatus status)
    {
        if (status != SiloStatus.Dead) return;
        foreach (var shard in shards.All()) shard.Forget(updatedSilo);
        foreach (var partition in clients.All()) partition.Forget(updatedSilo);
        died.Release();
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        if (!role.HostsGrains) return;
        silos.SubscribeToSiloStatusEvents(this);
        try
        {
            // Now and then without a death: what could not be done then, and wills left by a process that ran alone.
            for (var hasDied = false; ; hasDied = await died.WaitAsync(Period, stoppingToken)) await TryBuryAsync(hasDied);
        }
        catch (OperationCanceledException)
        {
            // The process stops.
        }
        finally
        {
            silos.UnSubscribeFromSiloStatusEvents(this);
        }
    }

    private async Task TryBuryAsync(bool hasDied)
    {
        using var activity = hasDied ? BrokerActivities.BuryNode() : null;
        try
        {
            await fences.EnsureAsync();
            await grains.GetGrain<IDueSweeperGrain>(0).Ping(); // it may have lived there
            foreach (var node in await store.ListNodesWithWillsAsync()) await grains.GetGrain<IUndertakerGrain>(UndertakerGrain.KeyOf(node)).Bury();
        }
        catch (Exception fault) when (PassingFault.Is(fault))
        {
            LogPutOff(log, fault.Message);
            activity.Fail(fault.Message);
        }
    }

    [LoggerMessage(1, LogLevel.Information, "What a dead process left behind has to wait: {Reason}")]
    private static partial void LogPutOff(ILogger log, string reason);
}
