using System.Text.Json.Nodes;

namespace Broker.Tests.Unit.Deploy;

/// <summary>Short ways through a YAML document.</summary>
internal static class NodeReading
{
    /// <summary>What stands at a path of keys separated by `/`; null if anything on it is missing.</summary>
    public static JsonNode? At(this JsonNode? node, string path) => path.Split('/').Aggregate(node, (at, key) => (at as JsonObject)?[key]);

    public static string? Text(this JsonNode? node, string path) => node.At(path)?.ToString();

    public static IEnumerable<JsonNode?> Items(this JsonNode? node, string path) => node.At(path) as JsonArray ?? [];

    public static IEnumerable<KeyValuePair<string, JsonNode?>> Entries(this JsonNode? node, string path) => node.At(path) as JsonObject ?? [];

    /// <summary>The names in a list, or the keys of a map: compose allows both for references.</summary>
    public static IEnumerable<string> Names(this JsonNode? node, string path) => node.At(path) switch
    {
        JsonArray list => list.Select(item => item is JsonObject entry ? entry["source"]!.ToString() : item!.ToString()),
        JsonObject map => map.Select(pair => pair.Key),
        _ => [],
    };

    /// <summary>Whether every label that is asked for is there.</summary>
    public static bool Selects(this IEnumerable<KeyValuePair<string, JsonNode?>> selector, JsonNode? labels) =>
        selector.All(wanted => (labels as JsonObject)?[wanted.Key]?.ToString() == wanted.Value?.ToString());
}
