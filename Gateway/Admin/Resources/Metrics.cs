using Broker.Grains.Interfaces.Nodes;

namespace Broker.Gateway.Admin.Resources;

/// <summary>`/metrics` and `/stats`.</summary>
internal sealed class Metrics(ClusterNodes nodes) : IApiResource
{
    public IEnumerable<ApiEndpoint> Endpoints =>
    [
        new("GET", "/metrics", "list_all_metrics", "The counters of all nodes", _ => ListAsync(NodeResources.Metrics)),
        new("GET", "/nodes/{node}/metrics", "list_node_metrics", "The counters of a node", call => GetAsync(call, NodeResources.Metrics)),
        new("GET", "/stats", "list_stats", "What all nodes hold", _ => ListAsync(NodeResources.Stats)),
        new("GET", "/nodes/{node}/stats", "lookup_node_stats", "What a node holds", call => GetAsync(call, NodeResources.Stats)),
    ];

    private async Task<ApiAnswer> ListAsync(string resource)
    {
        var answers = await nodes.ReadAllAsync(new NodeQuery(resource, []));
        return ApiAnswer.ByNode(answers, resource, (json, page) => json.WriteRow(page.Rows[0]));
    }

    private async Task<ApiAnswer> GetAsync(ApiCall call, string resource)
    {
        var (page, isKnown) = await nodes.ReadOneAsync(call.Path("node"), new NodeQuery(resource, []));
        return !isKnown ? ApiAnswer.NotFound : page is null ? ApiAnswer.Unanswered : ApiAnswer.Data(json => json.WriteRow(page.Rows[0]));
    }
}
