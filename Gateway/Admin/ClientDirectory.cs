using System.Globalization;
using Broker.Gateway.Links;
using Broker.Grains.Interfaces.Clients;
using Broker.Grains.Interfaces.Nodes;
using Broker.Grains.Interfaces.Routing;

namespace Broker.Gateway.Admin;

/// <summary>Finds a client anywhere in the cluster by its identifier, and tells its process what to do with it.</summary>
internal sealed class ClientDirectory(ClusterNodes nodes, IGrainFactory grains, ShardMap map, TimeProvider time)
{
    /// <summary>Where a client is.</summary>
    public Task<ClientWhereabouts> FindAsync(string clientId) =>
        GrainCalls.InsistAsync(() => grains.GetGrain<IClientRegistryGrain>(map.PartitionOf(clientId)).Find(clientId), time);

    /// <summary>The same for those who only look: they are not made to wait until the work of a dead process is done by others.</summary>
    /// <exception cref="TimeoutException">Nobody answers now.</exception>
    public Task<ClientWhereabouts> FindNowAsync(string clientId)
    {
        var finding = FindAsync(clientId);
        finding.Ignore();
        return finding.WaitAsync(ClusterNodes.Patience, time);
    }

    /// <summary>Reads something of a client's connection.</summary>
    /// <returns>Null if its process does not answer.</returns>
    public Task<NodePage?> ReadAsync(ClientLocation location, string resource) =>
        nodes.ReadAtAsync(location.Gateway, new NodeQuery(resource, [new(NodeResources.ConnectionFilter, NumberOf(location))]));

    /// <summary>Tells a client's process to do something with its connection.</summary>
    /// <returns>Null if it does not answer.</returns>
    public Task<NodeResult?> DoAsync(ClientLocation location, string action, params KeyValuePair<string, string>[] arguments) =>
        nodes.DoAtAsync(location.Gateway, new NodeCommand(NodeResources.Clients, action, NumberOf(location), arguments));

    private static string NumberOf(ClientLocation location) => location.Connection.ToString(CultureInfo.InvariantCulture);
}
