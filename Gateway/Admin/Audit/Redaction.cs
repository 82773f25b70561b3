using System.Text;
using System.Text.Json;

namespace Broker.Gateway.Admin.Audit;

/// <summary>Copies JSON without what must not be written down, and no more of it than has place.</summary>
internal static class Redaction
{
    public const int MaxBytes = 4 * 1024;
    private const string Hidden = "***";

    /// <summary>Members whose names hold one of these have secrets.</summary>
    private static readonly string[] Parts = ["password", "passwd", "passphrase", "pwd", "secret", "token", "credential", "privatekey", "private_key", "authorization", "apikey", "api_key", "headers"];

    /// <summary>Members with these names have them, or are files.</summary>
    private static readonly HashSet<string> Names = new(["file", "hash", "salt", "pass"], StringComparer.OrdinalIgnoreCase);

    /// <summary>Whether a member of this name is not shown.</summary>
    public static bool Hides(string name) => Names.Contains(name) || Array.Exists(Parts, part => name.Contains(part, StringComparison.OrdinalIgnoreCase));

    /// <returns>The same without secrets; a text of its first 4 KiB if it is longer than that.</returns>
    public static JsonElement Of(JsonElement value)
    {
        using var buffer = new MemoryStream();
        bool isWhole;
        using (var json = new Utf8JsonWriter(buffer, new JsonWriterOptions { SkipValidation = true })) isWhole = Copy(value, json);
        var bytes = buffer.GetBuffer().AsSpan(0, (int)buffer.Length);
        if (isWhole && bytes.Length <= MaxBytes)
        {
            using var document = JsonDocument.Parse(buffer.ToArray());
            return document.RootElement.Clone();
        }

        return JsonSerializer.SerializeToElement(Encoding.UTF8.GetString(bytes[..Math.Min(bytes.Length, MaxBytes)]).TrimEnd('\uFFFD') + "…", TextJson.Default.String);
    }

    /// <summary>The parameters of a query string as an object.</summary>
    public static JsonElement? Of(IEnumerable<KeyValuePair<string, Microsoft.Extensions.Primitives.StringValues>> query)
    {
        Dictionary<string, string> shown = query.ToDictionary(one => one.Key, one => one.Value.ToString(), StringComparer.Ordinal);
        return shown.Count == 0 ? null : Of(JsonSerializer.SerializeToElement(shown, TextJson.Default.DictionaryStringString));
    }

    /// <returns>False if there was more than has place.</returns>
    private static bool Copy(JsonElement value, Utf8JsonWriter json)
    {
        if (json.BytesCommitted + json.BytesPending > MaxBytes) return false;
        switch (value.ValueKind)
        {
            case JsonValueKind.Object:
                json.WriteStartObject();
                foreach (var member in value.EnumerateObject())
                {
                    json.WritePropertyName(Shorten(member.Name));
                    if (Hides(member.Name) && member.Value.ValueKind is not JsonValueKind.Null) json.WriteStringValue(Hidden);
                    else if (!Copy(member.Value, json)) return false;
                }

                json.WriteEndObject();
                return true;
            case JsonValueKind.Array:
                json.WriteStartArray();
                foreach (var item in value.EnumerateArray())
                {
                    if (!Copy(item, json)) return false;
                }

                json.WriteEndArray();
                return true;
            case JsonValueKind.String:
                json.WriteStringValue(Shorten(value.GetString()!));
                return true;
            default:
                if (value.GetRawText() is not { Length: <= MaxBytes } number) return false;
                json.WriteRawValue(number, skipInputValidation: true);
                return true;
        }
    }

    private static string Shorten(string text) => text.Length <= MaxBytes ? text : text[..MaxBytes];
}

[System.Text.Json.Serialization.JsonSerializable(typeof(string))]
[System.Text.Json.Serialization.JsonSerializable(typeof(Dictionary<string, string>))]
internal sealed partial class TextJson : System.Text.Json.Serialization.JsonSerializerContext;
