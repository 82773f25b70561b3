using Broker.Grains.Clients;
using Broker.Grains.Delayed;
using Broker.Grains.Interfaces.Cluster;
using Broker.Grains.Retained;
using Broker.Grains.Routing;
using Microsoft.Extensions.Logging;
using Orleans.Concurrency;
using Orleans.Runtime.Services;

namespace Broker.Grains.Cluster;

/// <inheritdoc cref="ISpreadService"/>
[Reentrant]
internal sealed class SpreadService(
    GrainId id, Silo silo, ILoggerFactory loggers, NodeRole role, LocalShards shards, LocalRetainedPartitions retained, LocalClientRegistries clients, LocalDelayedPartitions delayed)
    : GrainService(id, silo, loggers), ISpreadService
{
    public Task<HeldGrains> Held() => Task.FromResult(new HeldGrains(role.HostsGrains, shards.Numbers(), retained.Numbers(), clients.Numbers()) { Delayed = delayed.Numbers() });
}

/// <inheritdoc cref="ISpreadClient"/>
internal sealed class SpreadClient(IServiceProvider services) : GrainServiceClient<ISpreadService>(services), ISpreadClient
{
    public ISpreadService At(SiloAddress silo) => GetGrainService(silo);
}
