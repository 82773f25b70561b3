using System.Globalization;
using System.Text.Json;

namespace Broker.Gateway.Admin.Audit;

/// <summary>Which entries are wanted: parameters of `/api/v5/audit`.</summary>
internal sealed class AuditFilter
{
    /// <summary>The parameters' names.</summary>
    public static readonly HashSet<string> Known = new(["user", "endpoint", "node", "_gte_at", "_lte_at", "_like_path"], StringComparer.Ordinal);

    private readonly List<Func<AuditEntry, bool>> conditions = [];

    /// <exception cref="FormatException">A time is none.</exception>
    public AuditFilter(IEnumerable<KeyValuePair<string, string>> filters)
    {
        foreach (var (name, value) in filters) conditions.Add(Condition(name, value));
    }

    public bool Matches(AuditEntry entry) => conditions.TrueForAll(condition => condition(entry));

    private static Func<AuditEntry, bool> Condition(string name, string value)
    {
        switch (name)
        {
            case "user": return entry => entry.User == value;
            case "endpoint": return entry => entry.Endpoint == value;
            case "node": return entry => entry.Node == value;
            case "_like_path": return entry => entry.Path.Contains(value, StringComparison.Ordinal);
            case "_gte_at":
                var from = AuditTime.Format(Time(value));
                return entry => string.CompareOrdinal(entry.At, from) >= 0;
            case "_lte_at":
                var to = AuditTime.Format(Time(value));
                return entry => string.CompareOrdinal(entry.At, to) <= 0;
            default: return _ => true;
        }
    }

    /// <summary>Unix seconds, as elsewhere in the API, or ISO 8601.</summary>
    private static DateTimeOffset Time(string value) =>
        long.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out var seconds) && seconds <= 253_402_300_799 ? DateTimeOffset.FromUnixTimeSeconds(seconds)
        : DateTimeOffset.TryParse(value, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var time) ? time
        : throw new FormatException($"Can't convert {value} to timestamp type");
}

/// <summary>Times of entries: texts that sort as they do.</summary>
internal static class AuditTime
{
    public static string Format(DateTimeOffset time) => time.UtcDateTime.ToString("yyyy-MM-ddTHH:mm:ss.fffZ", CultureInfo.InvariantCulture);

    /// <summary>The time of an entry that is JSON.</summary>
    public static string Of(ReadOnlySpan<byte> row)
    {
        var json = new Utf8JsonReader(row);
        while (json.Read())
        {
            if (json.TokenType == JsonTokenType.PropertyName && json.ValueTextEquals("at"u8) && json.Read()) return json.GetString() ?? "";
        }

        return "";
    }
}
