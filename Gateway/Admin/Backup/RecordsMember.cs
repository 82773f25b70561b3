using System.Runtime.InteropServices;
using System.Text;
using System.Text.Json;
using Broker.Gateway.Records;
using Broker.Grains.Interfaces.Records;

namespace Broker.Gateway.Admin.Backup;

/// <summary>`records`: everything that operators manage, as the cluster keeps it, whatever table it is of. With it a document needs no other member.</summary>
internal sealed class RecordsMember(IEnumerable<RecordTable> tables, TimeProvider time)
{
    public const string Name = "records";
    private const int LongestTable = 32;
    private readonly Dictionary<string, RecordTable> tables = tables.ToDictionary(table => table.Name, StringComparer.Ordinal);

    /// <summary>Writes one record: its value as JSON, or as `base64` if it is something else.</summary>
    public static void Write(Utf8JsonWriter json, Record record)
    {
        json.WriteStartObject();
        json.WriteString("table", record.Table);
        json.WriteString("key", record.Key);
        if (IsJson(record.Value!))
        {
            json.WritePropertyName("value");
            json.WriteRawValue(record.Value, skipInputValidation: true);
        }
        else
        {
            json.WriteBase64String("base64", record.Value);
        }

        json.WriteNumber("expires_at", record.ExpiresAt);
        json.WriteEndObject();
    }

    /// <summary>What a document wants to be stored; what has expired is left out.</summary>
    /// <exception cref="ImportException">The document is wrong.</exception>
    public IEnumerable<RecordChange> Read(JsonElement document)
    {
        var now = time.GetUtcNow().ToUnixTimeMilliseconds();
        foreach (var row in DocumentRow.Of(document, Name))
        {
            var (table, key, expiresAt) = (row.Text("table"), row.Text("key"), row.Number("expires_at") ?? 0);
            if (table.Length is 0 or > LongestTable || !Ascii.IsValid(table)) throw row.Wrong("'table' is none");
            if (Encoding.UTF8.GetByteCount(key) > RecordFeed.LongestKey) throw row.Wrong("'key' is too long");
            var value = ValueOf(row);
            try
            {
                if (tables.TryGetValue(table, out var known)) known.Check(key, value);
            }
            catch (JsonException wrong)
            {
                throw row.Wrong($"no record of {table}: {wrong.Message}");
            }

            if (expiresAt == 0 || expiresAt > now) yield return new RecordChange(table, key, value, ExpiresAt: expiresAt);
        }
    }

    private static byte[] ValueOf(DocumentRow row)
    {
        if (row.Value.TryGetProperty("value", out var value)) return JsonMarshal.GetRawUtf8Value(value).ToArray();
        return row.Value.TryGetProperty("base64", out var text) && text.ValueKind == JsonValueKind.String && text.TryGetBytesFromBase64(out var bytes) ? bytes : throw row.Wrong("there is no 'value' and no 'base64'");
    }

    private static bool IsJson(byte[] value)
    {
        try
        {
            var reader = new Utf8JsonReader(value);
            reader.Read();
            reader.Skip();
            return !reader.Read();
        }
        catch (JsonException)
        {
            return false;
        }
    }
}
