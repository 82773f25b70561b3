using System.Text.Json;
using Broker.Gateway.Modules;
using Broker.Gateway.Records;
using Broker.Grains.Interfaces.Nodes;
using Broker.Grains.Interfaces.Records;
using Broker.Grains.Interfaces.Topics;

namespace Broker.Gateway.Admin.Resources;

/// <summary>What this process has counted of single topics: for each an object of numbers.</summary>
internal sealed class LocalTopicMetrics(TopicMetrics metrics, CountedTopics topics) : INodeResource
{
    public const string Name = "topic_metrics";

    public string Resource => Name;

    public ValueTask<NodePage> ReadAsync(string node, NodeQuery query) => ValueTask.FromResult(NodePages.Write(node, json =>
    {
        foreach (var entry in topics.All)
        {
            if (metrics.Find(TopicName.Parse(entry.Key)) is not { } counters) continue;
            json.WriteStartArray(entry.Key);
            foreach (var (count, rate) in counters.Read())
            {
                json.WriteNumberValue(count);
                json.WriteNumberValue(rate);
            }

            json.WriteEndArray();
        }
    }));
}

/// <summary>`/topic-metrics`: which topics are counted, and what was counted on all nodes together.</summary>
internal sealed class TopicMetricResource(ClusterNodes nodes, Modules.Modules modules, CountedTopics topics, RecordFeed records, TimeProvider time) : IApiResource
{
    public IEnumerable<ApiEndpoint> Endpoints =>
    [
        new("GET", "/topic-metrics", "list_all_topic_metrics", "The counted topics", _ => WhenOn(ListAsync)),
        new("GET", "/topic-metrics/{topic}", "list_topic_metrics", "What was counted of a topic", call => WhenOn(() => FindAsync(call.Path("topic")))),
        new("POST", "/topic-metrics", "register_topic_metrics", "Count a topic", call => WhenOn(() => AddAsync(call))) { Members = ["topic!"] },
        new("DELETE", "/topic-metrics", "unregister_all_topic_metrics", "Count no topic any more", _ => WhenOn(RemoveAllAsync)) { Sweeps = true },
        new("DELETE", "/topic-metrics/{topic}", "unregister_topic_metrics", "Count a topic no more", call => WhenOn(() => RemoveAsync(call.Path("topic")))),
    ];

    private Task<ApiAnswer> WhenOn(Func<Task<ApiAnswer>> act) => modules.IsActive(Modules.Modules.TopicMetrics) ? act() : Task.FromResult(ApiAnswer.Fault("module_not_loaded"));

    private async Task<ApiAnswer> ListAsync()
    {
        var (sums, unavailable) = await SumAsync();
        byte[][] rows =
        [
            .. topics.All.OrderBy(entry => entry.Key, StringComparer.Ordinal).Select(entry => NodePages.Write("", json =>
            {
                json.WriteString("topic", entry.Key);
                json.WriteStartObject("metrics");
                Write(json, sums.GetValueOrDefault(entry.Key));
                json.WriteEndObject();
            }).Rows[0]),
        ];
        return ApiAnswer.Rows(rows, unavailable);
    }

    private async Task<ApiAnswer> FindAsync(string topic)
    {
        var (sums, unavailable) = await SumAsync();
        return ApiAnswer.Data(json =>
        {
            json.WriteStartObject();
            if (topics.Find(topic) is not null) Write(json, sums.GetValueOrDefault(topic));
            json.WriteEndObject();
        }, unavailable);
    }

    /// <summary>The numbers of all nodes together: count and rate of each counter.</summary>
    private async Task<(Dictionary<string, double[]> Sums, string[] Unavailable)> SumAsync()
    {
        var answers = await nodes.ReadAllAsync(new NodeQuery(LocalTopicMetrics.Name, []));
        var sums = new Dictionary<string, double[]>(StringComparer.Ordinal);
        foreach (var row in answers.Pages.SelectMany(page => page.Rows))
        {
            using var json = JsonDocument.Parse(row);
            foreach (var topic in json.RootElement.EnumerateObject())
            {
                var values = topic.Value.EnumerateArray().Select(value => value.GetDouble()).ToArray();
                sums[topic.Name] = sums.TryGetValue(topic.Name, out var before) ? [.. before.Zip(values, (one, other) => one + other)] : values;
            }
        }

        return (sums, answers.Unavailable);
    }

    private static void Write(Utf8JsonWriter json, double[]? sums)
    {
        for (var at = 0; at < TopicCounters.Names.Length; at++)
        {
            json.WriteNumber($"{TopicCounters.Names[at]}.count", (long)(sums?[2 * at] ?? 0));
            json.WriteNumber($"{TopicCounters.Names[at]}.rate", Math.Round(sums?[(2 * at) + 1] ?? 0, 2));
        }
    }

    private async Task<ApiAnswer> AddAsync(ApiCall call)
    {
        if (call.Find("topic") is not { Length: > 0 } text) return ApiAnswer.Fault("missing_required_params");
        if (!TopicFilter.TryParse(text, out var filter) || filter.HasWildcard || filter.IsGrouped) return ApiAnswer.Fault("invalid_topic_name");
        // As with EMQ X nobody is told that there are too many.
        if (topics.Count < TopicMetrics.MaxTopics) await records.WriteAsync(topics.Put(text, new CountedTopic(time.GetUtcNow().ToUnixTimeSeconds()), RecordCondition.IfAbsent));
        return ApiAnswer.Done;
    }

    private async Task<ApiAnswer> RemoveAsync(string topic)
    {
        await records.WriteAsync(topics.Delete(topic));
        return ApiAnswer.Done;
    }

    private async Task<ApiAnswer> RemoveAllAsync()
    {
        if (topics.All.Select(entry => topics.Delete(entry.Key)).ToArray() is { Length: > 0 } all) await records.WriteAsync(all);
        return ApiAnswer.Done;
    }
}
