using System.Text.Json;
using Broker.Grains.Interfaces.Nodes;

namespace Broker.Gateway.Admin.Resources;

/// <summary>This process's numbers of the last minutes.</summary>
internal sealed class LocalMonitor(MonitorRing ring) : INodeResource
{
    public const string Name = "monitor";

    public string Resource => Name;

    public ValueTask<NodePage> ReadAsync(string node, NodeQuery query)
    {
        var (received, sent, subscriptions, connections) = ring.Current;
        return ValueTask.FromResult(NodePages.Write(node, json =>
        {
            json.WriteNumber("received", received);
            json.WriteNumber("sent", sent);
            json.WriteNumber("subscription", subscriptions);
            json.WriteNumber("connection", connections);
            json.WriteStartArray("samples");
            foreach (var (at, values) in ring.Samples)
            {
                json.WriteStartArray();
                json.WriteNumberValue(at);
                foreach (var value in values) json.WriteNumberValue(value);
                json.WriteEndArray();
            }

            json.WriteEndArray();
        }));
    }
}

/// <summary>`/monitor`: what EMQ X Enterprise's dashboard draws, of all nodes together or of one.</summary>
internal sealed class MonitorResource(ClusterNodes nodes) : IApiResource
{
    private static readonly string[] Current = ["received", "sent", "subscription", "connection"];

    public IEnumerable<ApiEndpoint> Endpoints =>
    [
        new("GET", "/monitor/current_metrics", "get_current_metrics", "Messages a second, subscriptions and connections, now", _ => ShowCurrentAsync()),
        new("GET", "/monitor/metrics", "list_monitor_metrics", "The last two hours, minute by minute", _ => ShowAsync(null)),
        new("GET", "/monitor/metrics/{type}", "get_monitor_metric", "One series of them", call => ShowAsync(call.Path("type"))),
        new("GET", "/nodes/{node}/monitor/metrics", "list_node_monitor_metrics", "The last two hours of a node", call => ShowNodeAsync(call, null)),
        new("GET", "/nodes/{node}/monitor/metrics/{type}", "get_node_monitor_metric", "One series of a node", call => ShowNodeAsync(call, call.Path("type"))),
    ];

    private static NodeQuery Query => new(LocalMonitor.Name, []);

    private async Task<ApiAnswer> ShowCurrentAsync()
    {
        var answers = await nodes.ReadAllAsync(Query);
        var sums = new double[Current.Length];
        foreach (var row in answers.Pages.SelectMany(page => page.Rows))
        {
            using var json = JsonDocument.Parse(row);
            for (var at = 0; at < Current.Length; at++) sums[at] += json.RootElement.GetProperty(Current[at]).GetDouble();
        }

        return ApiAnswer.Data(
            json =>
            {
                json.WriteStartObject();
                json.WriteNumber("node", answers.Pages.Count(page => page.Rows.Length > 0));
                for (var at = 0; at < Current.Length; at++) json.WriteNumber(Current[at], Math.Round(sums[at], 2));
                json.WriteEndObject();
            },
            answers.Unavailable);
    }

    private async Task<ApiAnswer> ShowAsync(string? type)
    {
        if (!IsKnown(type)) return ApiAnswer.NotFound;
        var answers = await nodes.ReadAllAsync(Query);
        return Show(answers.Pages, type, answers.Unavailable);
    }

    private async Task<ApiAnswer> ShowNodeAsync(ApiCall call, string? type)
    {
        if (!IsKnown(type)) return ApiAnswer.NotFound;
        var (page, isKnown) = await nodes.ReadOneAsync(call.Path("node"), Query);
        return !isKnown ? ApiAnswer.NotFound : page is null ? ApiAnswer.Unanswered : Show([page], type, []);
    }

    private static bool IsKnown(string? type) => type is null || MonitorRing.Names.Contains(type);

    /// <summary>The nodes' samples added, minute by minute.</summary>
    private static ApiAnswer Show(IEnumerable<NodePage> pages, string? type, string[] unavailable)
    {
        var sums = new SortedDictionary<long, long[]>();
        foreach (var row in pages.SelectMany(page => page.Rows))
        {
            using var json = JsonDocument.Parse(row);
            foreach (var sample in json.RootElement.GetProperty("samples").EnumerateArray())
            {
                long[] numbers = [.. sample.EnumerateArray().Select(number => number.GetInt64())];
                if (!sums.TryGetValue(numbers[0], out var sum)) sums[numbers[0]] = sum = new long[MonitorRing.Names.Length];
                for (var at = 0; at < sum.Length && at + 1 < numbers.Length; at++) sum[at] += numbers[at + 1];
            }
        }

        return ApiAnswer.Data(
            json =>
            {
                json.WriteStartObject();
                for (var at = 0; at < MonitorRing.Names.Length; at++)
                {
                    if (type is null || type == MonitorRing.Names[at]) WriteSeries(json, MonitorRing.Names[at], sums, at);
                }

                json.WriteEndObject();
            },
            unavailable);
    }

    private static void WriteSeries(Utf8JsonWriter json, string name, SortedDictionary<long, long[]> sums, int at)
    {
        json.WriteStartArray(name);
        foreach (var (time, values) in sums)
        {
            json.WriteStartArray();
            json.WriteNumberValue(time);
            json.WriteNumberValue(values[at]);
            json.WriteEndArray();
        }

        json.WriteEndArray();
    }
}
