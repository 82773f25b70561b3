using System.Text;
using System.Text.Json;

namespace Broker.Gateway.Cli.Output;

/// <summary>A row: names and values in their order.</summary>
internal sealed record Row(List<KeyValuePair<string, string>> Cells)
{
    public string this[string name] => Cells.Find(cell => cell.Key == name).Value ?? "";
}

/// <summary>Makes rows of what the API answers.</summary>
internal static class JsonRows
{
    /// <summary>The rows of an answer. What each node answered for itself becomes rows with the node's name.</summary>
    public static IEnumerable<Row> Of(JsonElement data, string member)
    {
        if (member.Length > 0) data = data.ValueKind == JsonValueKind.Object && data.TryGetProperty(member, out var inner) ? inner : default;
        if (data.ValueKind == JsonValueKind.Object) return [new Row(Cells(data, ""))];
        return data.ValueKind == JsonValueKind.Array ? data.EnumerateArray().SelectMany(item => OfItem(item)) : [];
    }

    /// <summary>A record's cells, those of objects inside it as `outer.inner`.</summary>
    public static List<KeyValuePair<string, string>> Cells(JsonElement record, string prefix)
    {
        var cells = new List<KeyValuePair<string, string>>();
        foreach (var member in record.EnumerateObject())
        {
            if (member.Value.ValueKind == JsonValueKind.Object && member.Value.EnumerateObject().Any()) cells.AddRange(Cells(member.Value, $"{prefix}{member.Name}."));
            else cells.Add(new(prefix + member.Name, Text(member.Value)));
        }

        return cells;
    }

    private static IEnumerable<Row> OfItem(JsonElement item)
    {
        if (item.ValueKind != JsonValueKind.Object) return [new Row([new("value", Text(item))])];
        var rest = item.EnumerateObject().Where(member => member.Name is not ("node" or "version")).ToArray();
        if (rest is [{ Value.ValueKind: JsonValueKind.Array or JsonValueKind.Object } held] && item.TryGetProperty("node", out var node)) return OfNode(Text(node), held.Value);
        return [new Row(Cells(item, ""))];
    }

    private static IEnumerable<Row> OfNode(string node, JsonElement held) => held.ValueKind == JsonValueKind.Array
        ? held.EnumerateArray().SelectMany(OfItem).Select(row => new Row([new("node", node), .. row.Cells.Where(cell => cell.Key != "node")]))
        : held.EnumerateObject().Select(one => new Row([new("node", node), new("name", one.Name), new("value", Text(one.Value))]));

    /// <summary>A value in a cell. A control character in it, which might be an order to the terminal, is shown as its escape.</summary>
    private static string Text(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.String => Harmless(value.GetString()!),
        JsonValueKind.Null or JsonValueKind.Undefined => "",
        JsonValueKind.True => "true",
        JsonValueKind.False => "false",
        JsonValueKind.Array when value.EnumerateArray().All(one => one.ValueKind is JsonValueKind.String or JsonValueKind.Number) => string.Join(',', value.EnumerateArray().Select(Text)),
        JsonValueKind.Array or JsonValueKind.Object => Harmless(value.GetRawText()),
        _ => value.GetRawText(),
    };

    public static string Harmless(string text)
    {
        if (!text.Any(IsControl)) return text;
        var safe = new StringBuilder();
        foreach (var one in text)
        {
            if (!IsControl(one)) safe.Append(one);
            else safe.Append(one switch { '\t' => "\\t", '\n' => "\\n", '\r' => "\\r", _ => $"\\u{(int)one:x4}" });
        }

        return safe.ToString();
    }

    /// <summary>Also the marks that turn the direction of writing, by which a name can be shown as another.</summary>
    private static bool IsControl(char one) => char.IsControl(one) || one is >= '\u202a' and <= '\u202e' or >= '\u2066' and <= '\u2069';
}
