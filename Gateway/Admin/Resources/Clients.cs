using Broker.Gateway.Links;
using Broker.Grains.Interfaces.Clients;
using Broker.Grains.Interfaces.Gateways;
using Broker.Grains.Interfaces.Messages;
using Broker.Grains.Interfaces.Nodes;
using Broker.Grains.Interfaces.Sessions;

namespace Broker.Gateway.Admin.Resources;

/// <summary>`/clients`: who is connected or has a session, and whom to cut.</summary>
internal sealed class Clients(ClusterNodes nodes, INodeClient members, ClientDirectory clients, IGatewayClient gateways, IGrainFactory grains, TimeProvider time) : IApiResource
{
    private static readonly string[] Kinds = [NodeResources.Clients, NodeResources.AbsentClients];

    public IEnumerable<ApiEndpoint> Endpoints =>
    [
        new("GET", "/clients", "list_clients", "The clients of the cluster", call => ListAsync(call)) { Filters = ClientFilter.Names, IsPaged = true },
        new("GET", "/clients/{clientid}", "lookup_client", "A client of the cluster", call => LookUpAsync(call.Path("clientid"))),
        new("GET", "/clients/username/{username}", "lookup_client_via_username", "The clients of a user", call => FindAsync("username", call.Path("username"))),
        new("DELETE", "/clients/{clientid}", "kickout_client", "Cut a client and end its session", call => KickAsync(call.Path("clientid"))),
        new("GET", "/nodes/{node}/clients", "list_node_clients", "The clients of a node", call => ListAsync(call, call.Path("node"))) { Filters = ClientFilter.Names, IsPaged = true },
        new("GET", "/nodes/{node}/clients/{clientid}", "lookup_node_client", "A client of a node", call => FindAsync("clientid", call.Path("clientid"), call.Path("node"))),
        new("GET", "/nodes/{node}/clients/username/{username}", "lookup_node_client_via_username", "The clients of a user on a node", call => FindAsync("username", call.Path("username"), call.Path("node"))),
        new("DELETE", "/nodes/{node}/clients/{clientid}", "kickout_client", "The same, on a node", KickFromAsync),
    ];

    private async Task<ApiAnswer> ListAsync(ApiCall call, string? node = null)
    {
        var paging = call.Paging();
        var page = await nodes.PageAsync(Kinds, call.Filters(ClientFilter.Names), paging, node);
        return ApiAnswer.Found(page, node, paging);
    }

    private async Task<ApiAnswer> FindAsync(string filter, string value, string? node = null)
    {
        var page = await nodes.PageAsync(Kinds, [new(filter, value)], Paging.Whole, node);
        return ApiAnswer.Found(page, node);
    }

    /// <summary>The registry knows where it is: nobody has to look through all clients.</summary>
    private async Task<ApiAnswer> LookUpAsync(string clientId)
    {
        var (location, isStored) = await clients.FindNowAsync(clientId);
        if (location is not { } there) return isStored ? await FindAsync("clientid", clientId) : ApiAnswer.Rows([]);
        var page = await clients.ReadAsync(there, NodeResources.Clients);
        return page is null ? ApiAnswer.Unanswered : ApiAnswer.Rows(page.Rows);
    }

    private Task<ApiAnswer> KickFromAsync(ApiCall call) =>
        Array.Exists(members.Members, member => member.Name == call.Path("node")) ? KickAsync(call.Path("clientid")) : Task.FromResult(ApiAnswer.NotFound);

    /// <summary>Closes the connection, wherever it is, and ends the session, whether the client is there or not.</summary>
    private async Task<ApiAnswer> KickAsync(string clientId)
    {
        var (location, isStored) = await clients.FindAsync(clientId);
        if (location is null && !isStored) return ApiAnswer.Fault(ResultCode.NotFound, "not_found");
        var isCut = location is not { } there || await CutAsync(there);
        if (isStored) await GrainCalls.InsistAsync(() => grains.GetGrain<ISessionGrain>(SessionKey.Of(clientId)).Discard(), time);
        return isCut ? ApiAnswer.Done : ApiAnswer.Unanswered;
    }

    /// <returns>Whether its process has answered.</returns>
    private async Task<bool> CutAsync(ClientLocation location)
    {
        var closing = gateways.At(location.Gateway).Close(location.Connection, ReasonCode.AdministrativeAction);
        closing.Ignore();
        try
        {
            await closing.WaitAsync(ClusterNodes.Patience, time);
            return true;
        }
        catch (Exception fault) when (GrainCalls.MayPass(fault))
        {
            return false;
        }
    }
}
