using System.Text.Json;

namespace Broker.Gateway.Configuration;

/// <summary>Where nodes are not set as they should be, or not as the others are.</summary>
internal static class SettingDrift
{
    private const string NodeName = "Gateway:NodeName";

    /// <summary>What a document sets keys to, in the words in which nodes describe themselves.</summary>
    public static IReadOnlyDictionary<string, string?> Wanted(SettingDocument document)
    {
        var wanted = new Dictionary<string, string?>(StringComparer.OrdinalIgnoreCase);
        foreach (var (key, value) in document.Settings.SelectMany(one => Describe(one.Key, one.Value))) wanted[key] = SettingKey.Show(key, value);
        return wanted;
    }

    /// <summary>What a node has otherwise than it should.</summary>
    public static IEnumerable<(string Key, string? Value, string? Wanted)> Of(IReadOnlyDictionary<string, string?> values, IReadOnlyDictionary<string, string?> wanted) =>
        wanted.Where(one => !IsTurnedOff(one.Key, wanted) && !IsSame(values.GetValueOrDefault(one.Key), one.Value)).Select(one => (one.Key, values.GetValueOrDefault(one.Key), one.Value));

    /// <summary>Keys that not all nodes have set to the same, but for their names.</summary>
    public static IEnumerable<(string Key, IEnumerable<(string Node, string? Value)> Values)> Disagreements((string Node, IReadOnlyDictionary<string, string?> Values)[] nodes) =>
        nodes.SelectMany(one => one.Values.Keys).Distinct(StringComparer.OrdinalIgnoreCase).Order(StringComparer.OrdinalIgnoreCase)
            .Where(key => !key.Equals(NodeName, StringComparison.OrdinalIgnoreCase) && nodes.Select(one => one.Values.GetValueOrDefault(key)).Distinct().Count() > 1)
            .Select(key => (key, nodes.Select(one => (one.Node, one.Values.GetValueOrDefault(key)))));

    /// <summary>A listener that is turned off has no settings.</summary>
    private static bool IsTurnedOff(string key, IReadOnlyDictionary<string, string?> wanted) =>
        key.Split(':') is ["Listeners", var name, ..] && wanted.GetValueOrDefault($"Listeners:{name}:Enabled") == "false";

    /// <summary>The same value may be written in several ways: `00:01` and `00:01:00`, `5` and `05`, `Highest` and `highest`.</summary>
    private static bool IsSame(string? one, string? other) =>
        string.Equals(one, other, StringComparison.OrdinalIgnoreCase)
        || (TimeSpan.TryParse(one, out var time) && TimeSpan.TryParse(other, out var otherTime) && time == otherTime)
        || (double.TryParse(one, out var number) && double.TryParse(other, out var otherNumber) && number == otherNumber);

    /// <summary>Of a list of objects each member is told by itself.</summary>
    private static IEnumerable<KeyValuePair<string, string?>> Describe(string key, JsonElement value) =>
        value.ValueKind == JsonValueKind.Array && value.EnumerateArray().Any(one => one.ValueKind == JsonValueKind.Object) ? SettingKey.Write(key, value) : [new(key, Text(value))];

    private static string? Text(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.String => value.GetString(),
        JsonValueKind.Array when value.EnumerateArray().All(one => one.ValueKind is JsonValueKind.String or JsonValueKind.Number) =>
            JsonSerializer.Serialize([.. value.EnumerateArray().Select(one => one.ToString())], SettingJson.Default.StringArray),
        _ => value.GetRawText(),
    };
}
