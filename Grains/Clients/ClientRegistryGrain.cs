using Broker.Grains.Cluster;
using Broker.Grains.Gateways;
using Broker.Grains.Interfaces.Clients;
using Broker.Grains.Interfaces.Gateways;
using Broker.Grains.Interfaces.Messages;
using Broker.Grains.Interfaces.Metrics;
using Broker.Grains.Interfaces.Routing;
using Broker.Grains.Storage;
using Orleans.GrainDirectory;

namespace Broker.Grains.Clients;

/// <summary>The registry partitions that are active in this process. Thread-safe.</summary>
internal sealed class LocalClientRegistries(ShardMap map) : LocalTable<ClientPartition>(map.Count), ILocalClientRegistries
{
    ILocalClientRegistry? ILocalClientRegistries.Find(int partition) => Find(partition);
}

/// <inheritdoc cref="IClientRegistryGrain"/>
[KeepAlive, EvenPlacement, GrainDirectory(GrainDirectoryName = ClusterDirectory.Name)]
internal sealed class ClientRegistryGrain(LocalClientRegistries local, BrokerStore store, GatewayPoll gateways, IGatewayClient gatewayClient, BrokerGauges gauges)
    : Grain, IClientRegistryGrain
{
    private readonly ClientPartition partition = new(gauges);

    private int Number => (int)this.GetPrimaryKeyLong();

    public override async Task OnActivateAsync(CancellationToken cancellationToken)
    {
        foreach (var session in await store.ListSessionsAsync(Number)) partition.AddStored(session.ClientId);
        foreach (var (_, clients) in await gateways.AskAllAsync(gateway => gateway.ClientsOf(Number), cancellationToken))
        {
            foreach (var client in clients)
            {
                // A takeover that the partition before did not live to see the end of.
                if (partition.AddConnected(client) is { } older) gatewayClient.At(older.Gateway).Close(older.Connection, ReasonCode.SessionTakenOver).Ignore();
            }
        }

        local.Open(Number, partition);
        // Who died since it answered was not reported to a partition that was not open.
        foreach (var gateway in partition.Gateways().Where(gateways.HasGone)) partition.Forget(gateway);
    }

    public override Task OnDeactivateAsync(DeactivationReason reason, CancellationToken cancellationToken)
    {
        local.Close(Number);
        partition.Close();
        return Task.CompletedTask;
    }

    public Task MoveTo(SiloAddress silo) => this.MigrateTo(silo);

    public Task Ping() => Task.CompletedTask;

    public Task<RegisterResult> Register(ClientRegistration registration)
    {
        partition.TryRegister(registration, out var result);
        return Task.FromResult(result);
    }

    public Task Unregister(string clientId, ClientLocation location)
    {
        partition.TryUnregister(clientId, location);
        return Task.CompletedTask;
    }

    public Task<ClientWhereabouts> Find(string clientId) => Task.FromResult(partition.Find(clientId));

    public Task Forget(string clientId, ClientLocation? endedWith)
    {
        partition.Forget(clientId, endedWith);
        return Task.CompletedTask;
    }
}
