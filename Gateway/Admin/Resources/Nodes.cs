using Broker.Grains.Interfaces.Nodes;

namespace Broker.Gateway.Admin.Resources;

/// <summary>`/brokers` and `/nodes`: the processes of the cluster.</summary>
internal sealed class Nodes(ClusterNodes nodes) : IApiResource
{
    public IEnumerable<ApiEndpoint> Endpoints =>
    [
        new("GET", "/brokers", "list_brokers", "The brokers of the cluster", _ => ListAsync(NodeResources.Brokers)),
        new("GET", "/brokers/{node}", "get_broker", "A broker", call => GetAsync(call, NodeResources.Brokers)),
        new("GET", "/nodes", "list_nodes", "The nodes of the cluster", _ => ListAsync(NodeResources.Nodes)),
        new("GET", "/nodes/{node}", "get_node", "A node", call => GetAsync(call, NodeResources.Nodes)),
    ];

    private async Task<ApiAnswer> ListAsync(string resource)
    {
        var answers = await nodes.ReadAllAsync(new NodeQuery(resource, []));
        return ApiAnswer.Rows(answers.Pages.SelectMany(page => page.Rows), answers.Unavailable);
    }

    private async Task<ApiAnswer> GetAsync(ApiCall call, string resource)
    {
        var (page, isKnown) = await nodes.ReadOneAsync(call.Path("node"), new NodeQuery(resource, []));
        return !isKnown ? ApiAnswer.NotFound : page is null ? ApiAnswer.Unanswered : ApiAnswer.Data(json => json.WriteRow(page.Rows[0]));
    }
}
