using System.Globalization;
using Broker.Gateway.Hosting;
using Broker.Gateway.Links;
using Broker.Gateway.Mqtt;
using Broker.Gateway.Security;
using Broker.Grains.Interfaces.Clients;
using Broker.Grains.Interfaces.Gateways;
using Broker.Grains.Interfaces.Messages;
using Broker.Grains.Interfaces.Metrics;
using Broker.Grains.Interfaces.Nodes;
using Broker.Grains.Interfaces.Routing;
using Broker.Grains.Interfaces.Sessions;
using Microsoft.Extensions.Options;

namespace Broker.Gateway.Admin.Resources;

/// <summary>The clients of this process, for whichever process is asked.</summary>
internal sealed class LocalClients(ConnectionTable connections, BrokerGauges gauges, IOptions<MqttOptions> mqtt, TimeProvider time) : INodeResource
{
    public const string Name = "clients";

    /// <summary>Asks for one connection by its number; not for callers of the HTTP API.</summary>
    public const string ConnectionFilter = "connection";

    public string Resource => Name;

    public NodePage Read(string node, NodeQuery query)
    {
        if (query.Filters is [{ Key: ConnectionFilter, Value: var number }])
        {
            return NodePages.Select(node, query, connections.Find(ulong.Parse(number, CultureInfo.InvariantCulture)) is { } one ? Matching([one], new ClientFilter([])) : [], Describe, ClientJson.Default.ClientRow);
        }

        if (query is { Filters: [], Limit: 0 }) return new NodePage(node, [], gauges.Read(Gauge.Connections), HasMore: false);
        try
        {
            return NodePages.Select(node, query, Matching(connections.Enumerate(), new ClientFilter(query.Filters)), Describe, ClientJson.Default.ClientRow);
        }
        catch (FormatException wrong)
        {
            return new NodePage(node, [], 0, false) { Fault = wrong.Message };
        }

        ClientRow Describe((Connection Connection, ClientInfo Client) one) => ClientRow.Of(node, one.Connection, one.Client, mqtt.Value.MaxSubscriptions, time.LocalTimeZone);
    }

    private static IEnumerable<(Connection Connection, ClientInfo Client)> Matching(IEnumerable<Connection> connections, ClientFilter filter)
    {
        foreach (var connection in connections)
        {
            if (connection is { Phase: ConnectionPhase.Connected, Client: { } client, Session: not null } && filter.Matches(connection, client)) yield return (connection, client);
        }
    }
}

/// <summary>`/clients`: who is connected, and whom to cut.</summary>
internal sealed class Clients(ClusterNodes nodes, IGatewayClient gateways, IGrainFactory grains, ShardMap map, TimeProvider time) : IApiResource
{
    public IEnumerable<ApiEndpoint> Endpoints =>
    [
        new("GET", "/clients", "list_clients", "The clients of the cluster", call => ListAsync(call, Filters(call))),
        new("GET", "/clients/{clientid}", "lookup_client", "A client of the cluster", call => LookUpAsync(call.Path("clientid"))),
        new("GET", "/clients/username/{username}", "lookup_client_via_username", "The clients of a user", call => FindAsync([new("username", call.Path("username"))])),
        new("DELETE", "/clients/{clientid}", "kickout_client", "Cut a client and end its session", call => KickAsync(call.Path("clientid"))),
        new("GET", "/nodes/{node}/clients", "list_node_clients", "The clients of a node", call => ListNodeAsync(call, Filters(call))),
        new("GET", "/nodes/{node}/clients/{clientid}", "lookup_node_client", "A client of a node", call => FindAsync(call, [new("clientid", call.Path("clientid"))])),
        new("GET", "/nodes/{node}/clients/username/{username}", "lookup_node_client_via_username", "The clients of a user on a node", call => FindAsync(call, [new("username", call.Path("username"))])),
        new("DELETE", "/nodes/{node}/clients/{clientid}", "kickout_client", "Cut a client and end its session", call => KickAsync(call.Path("clientid"))),
    ];

    private static KeyValuePair<string, string>[] Filters(ApiCall call) => call.Filters(ClientFilter.Names);

    private async Task<ApiAnswer> ListAsync(ApiCall call, KeyValuePair<string, string>[] filters)
    {
        var paging = call.Paging();
        var page = await nodes.PageAsync(new NodeQuery(LocalClients.Name, filters, paging.Skip, paging.Limit));
        return ApiAnswer.Page(page, paging, tellsMore: true);
    }

    private async Task<ApiAnswer> ListNodeAsync(ApiCall call, KeyValuePair<string, string>[] filters)
    {
        var paging = call.Paging();
        var query = new NodeQuery(LocalClients.Name, filters, paging.Skip, paging.Limit);
        var (page, isKnown) = await nodes.ReadOneAsync(call.Path("node"), query);
        if (!isKnown) return ApiAnswer.NotFound;
        if (page is null) return ApiAnswer.Unanswered;
        var count = filters.Length > 0 ? null : (await nodes.ReadOneAsync(call.Path("node"), query with { Limit = 0 })).Page?.Found;
        return ApiAnswer.Page(new ClusterPage(page.Rows, count, page.HasMore, []) { Fault = page.Fault }, paging, tellsMore: true);
    }

    private async Task<ApiAnswer> FindAsync(KeyValuePair<string, string>[] filters)
    {
        var page = await nodes.PageAsync(new NodeQuery(LocalClients.Name, filters, 0, Paging.MaxLimit));
        return ApiAnswer.Rows(page.Rows, page.Unavailable);
    }

    private async Task<ApiAnswer> FindAsync(ApiCall call, KeyValuePair<string, string>[] filters)
    {
        var (page, isKnown) = await nodes.ReadOneAsync(call.Path("node"), new NodeQuery(LocalClients.Name, filters, 0, Paging.MaxLimit));
        return !isKnown ? ApiAnswer.NotFound : page is null ? ApiAnswer.Unanswered : ApiAnswer.Rows(page.Rows);
    }

    private Task<ClientWhereabouts> LocateAsync(string clientId) =>
        GrainCalls.InsistAsync(() => grains.GetGrain<IClientRegistryGrain>(map.PartitionOf(clientId)).Find(clientId), time);

    /// <summary>The registry knows where it is: nobody has to look through all clients.</summary>
    private async Task<ApiAnswer> LookUpAsync(string clientId)
    {
        if ((await LocateAsync(clientId)).Location is not { } location) return ApiAnswer.Rows([]);
        var number = location.Connection.ToString(CultureInfo.InvariantCulture);
        var page = await nodes.ReadAtAsync(location.Gateway, new NodeQuery(LocalClients.Name, [new(LocalClients.ConnectionFilter, number)]));
        return page is null ? ApiAnswer.Unanswered : ApiAnswer.Rows(page.Rows);
    }

    /// <summary>Closes the connection, wherever it is, and ends the session, whether the client is there or not.</summary>
    private async Task<ApiAnswer> KickAsync(string clientId)
    {
        var (location, isStored) = await LocateAsync(clientId);
        if (location is null && !isStored) return ApiAnswer.Fault(ResultCode.NotFound, "not_found");
        if (location is { } there) await gateways.At(there.Gateway).Close(there.Connection, ReasonCode.AdministrativeAction);
        if (isStored) await GrainCalls.InsistAsync(() => grains.GetGrain<ISessionGrain>(SessionKey.Of(clientId)).Discard(), time);
        return ApiAnswer.Done;
    }
}
