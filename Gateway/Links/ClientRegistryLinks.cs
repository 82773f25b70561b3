using Broker.Gateway.Hooks;
using Broker.Gateway.Mqtt;
using Broker.Grains.Interfaces.Clients;
using Broker.Grains.Interfaces.Gateways;
using Broker.Grains.Interfaces.Messages;
using Broker.Grains.Interfaces.Metrics;
using Broker.Grains.Interfaces.Plugins;
using Broker.Grains.Interfaces.Routing;

namespace Broker.Gateway.Links;

/// <summary>This gateway's way to the client registry, and the takeover that a registration may demand (promise 4).</summary>
internal sealed class ClientRegistryLinks(
    ILocalClientRegistries local, IGrainFactory grains, ShardMap map, ILocalSiloDetails silo, IGatewayClient gateways, ISiloStatusOracle silos,
    ConnectionTable connections, BrokerHooks hooks, BrokerGauges gauges, TimeProvider time)
{
    /// <summary>Where a connection of this process is.</summary>
    public ClientLocation LocationOf(ulong connection) => new(silo.SiloAddress, connection);

    /// <summary>Registers a connection; when this completes, an older one of the same client can send no more.</summary>
    public async ValueTask<RegisterResult> RegisterAsync(ClientRegistration registration, bool cleanStart)
    {
        var partition = map.PartitionOf(registration.ClientId);
        if (local.Find(partition) is not { } here || !here.TryRegister(registration, out var result))
        {
            result = await GrainCalls.InsistAsync(() => grains.GetGrain<IClientRegistryGrain>(partition).Register(registration), time);
        }

        if (result.Previous is not { } previous || previous == registration.Location) return result;
        // A durable session that is discarded counts where it ends.
        if (!cleanStart) Count(Metric.SessionTakeovered, hooks.SessionTakenOver, registration.ClientId);
        else if (!result.HasStoredSession) Count(Metric.SessionDiscarded, hooks.SessionDiscarded, registration.ClientId);
        if (!previous.Gateway.Equals(silo.SiloAddress)) await GrainCalls.InsistAsync(() => CloseElsewhereAsync(previous), time);
        else if (connections.Find(previous.Connection) is { } older) await older.CloseAsync(ReasonCode.SessionTakenOver, "takeovered");
        return result;
    }

    private static void Count(Metric ending, HookEvent<SessionEvent> point, string clientId)
    {
        BrokerCounters.Add(ending);
        if (!point.IsEmpty) point.Raise(new SessionEvent(clientId));
    }

    /// <summary>Returns when the connection can send no more: its gateway says so, or has been declared dead. One that is merely silent is waited for.</summary>
    /// <exception cref="TimeoutException">Neither became known in time: the newcomer has to try again.</exception>
    private async Task CloseElsewhereAsync(ClientLocation previous)
    {
        try
        {
            await gateways.At(previous.Gateway).Close(previous.Connection, ReasonCode.SessionTakenOver);
        }
        catch (Exception) when (silos.IsDeadSilo(previous.Gateway))
        {
            // Its connections died with it.
        }
    }

    /// <summary>Activates every partition: each knows of stored sessions, which are counted from the start.</summary>
    public Task WarmUpAsync() => Task.WhenAll(Enumerable.Range(0, map.Count).Select(partition =>
        grains.GetGrain<IClientRegistryGrain>(partition).Unregister("", LocationOf(0))));

    /// <summary>The connection has ended; its registration goes once its session has been left, or could not be.</summary>
    public async ValueTask UnregisterAsync(string clientId, ulong connection, ValueTask leaving)
    {
        try
        {
            await leaving;
        }
        finally
        {
            gauges.Add(Gauge.Sessions, -1); // what is left of it the registry counts from now on
            await UnregisterAsync(clientId, connection);
        }
    }

    /// <summary>The connection has ended.</summary>
    public async ValueTask UnregisterAsync(string clientId, ulong connection)
    {
        var partition = map.PartitionOf(clientId);
        if (local.Find(partition) is { } here && here.TryUnregister(clientId, LocationOf(connection))) return;
        await GrainCalls.InsistAsync(() => grains.GetGrain<IClientRegistryGrain>(partition).Unregister(clientId, LocationOf(connection)), time);
    }
}
