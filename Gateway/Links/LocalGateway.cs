using Broker.Gateway.Mqtt;
using Broker.Grains.Interfaces.Clients;
using Broker.Grains.Interfaces.Gateways;
using Broker.Grains.Interfaces.Messages;
using Broker.Grains.Interfaces.Routing;
using Broker.Grains.Interfaces.Sessions;

namespace Broker.Gateway.Links;

/// <inheritdoc cref="ILocalGateway"/>
internal sealed class LocalGateway(GatewayLoops loops, ConnectionTable connections, SessionLinks sessions, ShardMap map, ILocalSiloDetails silo) : ILocalGateway
{
    private readonly RouteDestination self = RouteDestination.OfGateway(silo.SiloAddress);

    public void Deliver(ApplicationMessage message, ReadOnlySpan<ulong> routes) => loops.Deliver(null, message, routes);

    public Task<RouteChange[]> RoutesOfAsync(int shard) => loops.RoutesOfAsync(shard, self);

    public Task<RouteDigest> DigestOfAsync(int shard) => loops.DigestOfAsync(shard);

    public ClientRegistration[] ClientsOf(int partition)
    {
        var found = new List<ClientRegistration>();
        foreach (var connection in connections.Enumerate())
        {
            if (connection.Registered is not { } client || map.PartitionOf(client.ClientId) != partition) continue;
            found.Add(client.Register(new ClientLocation(silo.SiloAddress, connection.Number)));
        }

        return [.. found];
    }

    public void Pipe(ReadOnlySpan<PipeItem> items) => sessions.Receive(items);

    public Task CloseAsync(ulong connection, ReasonCode code) =>
        connections.Find(connection)?.CloseAsync(code, code == ReasonCode.SessionTakenOver ? "takeovered" : "kicked") ?? Task.CompletedTask;
}
