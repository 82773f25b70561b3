using System.Text.Json;
using Broker.Grains.Interfaces.Metrics;
using Broker.Grains.Interfaces.Nodes;

namespace Broker.Gateway.Admin.Resources;

/// <summary>Numbers of this process by name.</summary>
internal abstract class LocalNumbers(string resource) : INodeResource
{
    public string Resource => resource;

    public NodePage Read(string node, NodeQuery query)
    {
        using var buffer = new MemoryStream();
        using (var json = new Utf8JsonWriter(buffer))
        {
            json.WriteStartObject();
            foreach (var (name, value) in ReadAll()) json.WriteNumber(name, value);
            json.WriteEndObject();
        }

        return new NodePage(node, [buffer.ToArray()], 1, HasMore: false);
    }

    protected abstract IEnumerable<(string Name, long Value)> ReadAll();
}

/// <summary>What this process has counted.</summary>
internal sealed class LocalMetrics() : LocalNumbers(Name)
{
    public const string Name = "metrics";

    protected override IEnumerable<(string Name, long Value)> ReadAll() => MetricNames.ReadAll();
}

/// <summary>What this process holds, and the most it has held.</summary>
internal sealed class LocalStats(BrokerGauges gauges) : LocalNumbers(Name)
{
    public const string Name = "stats";

    protected override IEnumerable<(string Name, long Value)> ReadAll() =>
        gauges.ReadAll().SelectMany(one => new[] { ($"{one.Name}.count", one.Count), ($"{one.Name}.max", one.Max) });
}

/// <summary>`/metrics` and `/stats`.</summary>
internal sealed class Metrics(ClusterNodes nodes) : IApiResource
{
    public IEnumerable<ApiEndpoint> Endpoints =>
    [
        new("GET", "/metrics", "list_all_metrics", "The counters of all nodes", _ => ListAsync(LocalMetrics.Name)),
        new("GET", "/nodes/{node}/metrics", "list_node_metrics", "The counters of a node", call => GetAsync(call, LocalMetrics.Name)),
        new("GET", "/stats", "list_stats", "What all nodes hold", _ => ListAsync(LocalStats.Name)),
        new("GET", "/nodes/{node}/stats", "lookup_node_stats", "What a node holds", call => GetAsync(call, LocalStats.Name)),
    ];

    private async Task<ApiAnswer> ListAsync(string resource)
    {
        var answers = await nodes.ReadAllAsync(new NodeQuery(resource, []));
        return ApiAnswer.ByNode(answers, resource, (json, page) => json.WriteRawValue(page.Rows[0]));
    }

    private async Task<ApiAnswer> GetAsync(ApiCall call, string resource)
    {
        var (page, isKnown) = await nodes.ReadOneAsync(call.Path("node"), new NodeQuery(resource, []));
        return !isKnown ? ApiAnswer.NotFound : page is null ? ApiAnswer.Unanswered : ApiAnswer.Data(json => json.WriteRawValue(page.Rows[0]));
    }
}
