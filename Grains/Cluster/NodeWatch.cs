using Broker.Grains.Clients;
using Broker.Grains.Routing;
using Microsoft.Extensions.Hosting;

namespace Broker.Grains.Cluster;

/// <summary>Takes a process that was declared dead out of everything that is active here: its routes and its connections.</summary>
internal sealed class NodeWatch(ISiloStatusOracle silos, LocalShards shards, LocalClientRegistries clients) : IHostedService, ISiloStatusListener
{
    public Task StartAsync(CancellationToken cancellationToken)
    {
        silos.SubscribeToSiloStatusEvents(this);
        return Task.CompletedTask;
    }

    public Task StopAsync(CancellationToken cancellationToken)
    {
        silos.UnSubscribeFromSiloStatusEvents(this);
        return Task.CompletedTask;
    }

    public void SiloStatusChangeNotification(SiloAddress updatedSilo, SiloStatus status)
    {
        if (status != SiloStatus.Dead) return;
        foreach (var shard in shards.All()) shard.Forget(updatedSilo);
        foreach (var partition in clients.All()) partition.Forget(updatedSilo);
    }
}
