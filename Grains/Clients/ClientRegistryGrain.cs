using Broker.Grains.Interfaces.Clients;
using Broker.Grains.Interfaces.Metrics;
using Broker.Grains.Interfaces.Routing;
using Broker.Grains.Storage;

namespace Broker.Grains.Clients;

/// <summary>The registry partitions that are active in this process. Thread-safe.</summary>
internal sealed class LocalClientRegistries(ShardMap map) : ILocalClientRegistries
{
    private readonly ClientPartition?[] partitions = new ClientPartition?[map.Count];

    ILocalClientRegistry? ILocalClientRegistries.Find(int partition) => Volatile.Read(ref partitions[partition]);

    public void Open(int number, ClientPartition partition) => Volatile.Write(ref partitions[number], partition);

    public void Close(int number) => Volatile.Write(ref partitions[number], null);
}

/// <inheritdoc cref="IClientRegistryGrain"/>
[KeepAlive]
internal sealed class ClientRegistryGrain(LocalClientRegistries local, BrokerStore store, BrokerGauges gauges) : Grain, IClientRegistryGrain
{
    private readonly ClientPartition partition = new(gauges);

    private int Number => (int)this.GetPrimaryKeyLong();

    public override async Task OnActivateAsync(CancellationToken cancellationToken)
    {
        foreach (var session in await store.ListSessionsAsync(Number)) partition.AddStored(session.ClientId);
        local.Open(Number, partition);
    }

    public override Task OnDeactivateAsync(DeactivationReason reason, CancellationToken cancellationToken)
    {
        local.Close(Number);
        partition.Close();
        return Task.CompletedTask;
    }

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

    public Task Forget(string clientId, ClientLocation? endedWith)
    {
        partition.Forget(clientId, endedWith);
        return Task.CompletedTask;
    }
}
