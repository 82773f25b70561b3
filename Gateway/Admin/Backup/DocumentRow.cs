using System.Text.Json;

namespace Broker.Gateway.Admin.Backup;

/// <summary>An object of one of a document's lists.</summary>
/// <param name="Place">Where it is, for people: `blacklist[3]`.</param>
internal readonly record struct DocumentRow(string Place, JsonElement Value)
{
    /// <summary>The objects of a list; none if the document has no such list.</summary>
    /// <exception cref="ImportException">It is no list, or there is something else in it.</exception>
    public static IEnumerable<DocumentRow> Of(JsonElement document, string member)
    {
        if (!document.TryGetProperty(member, out var list) || list.ValueKind == JsonValueKind.Null) yield break;
        if (list.ValueKind != JsonValueKind.Array) throw new ImportException($"{member}: no list");
        var at = 0;
        foreach (var one in list.EnumerateArray())
        {
            var row = new DocumentRow($"{member}[{at++}]", one);
            yield return one.ValueKind == JsonValueKind.Object ? row : throw row.Wrong("no object");
        }
    }

    public ImportException Wrong(string what) => new($"{Place}: {what}");

    public bool Has(string name) => Value.TryGetProperty(name, out _);

    /// <exception cref="ImportException">There is none, or it is no text.</exception>
    public string Text(string name) => Value.OnlyText(name) ?? throw Wrong($"'{name}' is missing or no text");

    /// <summary>A member as text; null if there is none.</summary>
    public string? AnyText(string name) => Value.Text(name);

    /// <summary>A member that is a number; null if it is something else, as `"undefined"`, or there is none.</summary>
    /// <exception cref="ImportException">It is negative, or no whole number.</exception>
    public long? Number(string name) => !Value.TryGetProperty(name, out var value) || value.ValueKind != JsonValueKind.Number ? null
        : value.TryGetInt64(out var number) && number >= 0 ? number
        : throw Wrong($"'{name}' is no whole number");
}
