using Broker.Grains.Interfaces.Nodes;
using Broker.Grains.Interfaces.Sessions;

namespace Broker.Gateway.Admin.Resources;

/// <summary>`/subscriptions` and `/routes`: who is subscribed to what, and where that leads.</summary>
internal sealed class Subscriptions(ClusterNodes nodes) : IApiResource
{
    private static readonly string[] Kinds = [NodeResources.Subscriptions, NodeResources.DurableSubscriptions];
    private static readonly HashSet<string> RouteFilters = ["topic"];

    public IEnumerable<ApiEndpoint> Endpoints =>
    [
        new("GET", "/subscriptions", "list_subscriptions", "The subscriptions of the cluster", ListAsync) { Filters = SubscriptionFilter.Names, IsPaged = true },
        new("GET", "/subscriptions/{clientid}", "lookup_client_subscriptions", "A client's subscriptions", call => OfClientAsync(call.Path("clientid"))),
        new("GET", "/nodes/{node}/subscriptions", "list_node_subscriptions", "The subscriptions of a node", ListNodeAsync) { Filters = SubscriptionFilter.Names, IsPaged = true },
        new("GET", "/nodes/{node}/subscriptions/{clientid}", "lookup_client_subscriptions_with_node", "A client's subscriptions on a node", call => OfClientAsync(call.Path("clientid"), call.Path("node"))),
        new("GET", "/routes", "list_routes", "The routes of the cluster", ListRoutesAsync) { Filters = RouteFilters, IsPaged = true },
        new("GET", "/routes/{topic}", "lookup_routes", "The routes of a topic filter", call => FindRoutesAsync(call.Path("topic"))),
    ];

    private Task<ApiAnswer> ListAsync(ApiCall call) => PageAsync(call, null);

    private Task<ApiAnswer> ListNodeAsync(ApiCall call) => PageAsync(call, call.Path("node"));

    private async Task<ApiAnswer> PageAsync(ApiCall call, string? node)
    {
        var paging = call.Paging();
        var filters = call.Filters(SubscriptionFilter.Names);
        var page = await nodes.PageAsync(Kinds, filters, paging, node, countsFound: filters is [{ Key: "topic" }]); // as EMQ X, which counts with this filter alone
        return ApiAnswer.Found(page, node, paging);
    }

    private async Task<ApiAnswer> OfClientAsync(string clientId, string? node = null)
    {
        var page = await nodes.PageAsync(Kinds, [new("clientid", clientId)], Paging.Whole, node);
        return ApiAnswer.Found(page, node);
    }

    private async Task<ApiAnswer> ListRoutesAsync(ApiCall call)
    {
        var paging = call.Paging();
        return ApiAnswer.Page((await nodes.PageAsync([NodeResources.Routes], call.Filters(RouteFilters), paging))!, paging, tellsMore: false);
    }

    private async Task<ApiAnswer> FindRoutesAsync(string topic)
    {
        var page = (await nodes.PageAsync([NodeResources.Routes], [new("topic", topic)], Paging.Whole))!;
        return ApiAnswer.Rows(page.Rows, page.Unavailable);
    }
}
