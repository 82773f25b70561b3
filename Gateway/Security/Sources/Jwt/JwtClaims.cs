using System.Globalization;
using System.Text.Json;
using Broker.Gateway.Security.Rules;

namespace Broker.Gateway.Security.Sources.Jwt;

/// <summary>What a token's claims say of a client. [RFC 7519, 4]</summary>
/// <param name="claims">An object.</param>
internal sealed class JwtClaims(JsonElement claims)
{
    private const double LatestTime = 253_402_300_799; // the end of the year 9999

    /// <summary>Why the token does not hold now; null if it does.</summary>
    public string? FaultOfTimes(DateTimeOffset now)
    {
        var seconds = now.ToUnixTimeMilliseconds() / 1000.0;
        if (!TryTime("exp", out var expires) || !TryTime("nbf", out var begins) || !TryTime("iat", out var issued)) return "the token has a time that is none";
        return seconds >= expires ? "the token has expired" : seconds < begins ? "the token does not hold yet" : seconds < issued ? "the token was issued in the future" : null;
    }

    /// <summary>The claim that is not what it must be; null if all are.</summary>
    /// <param name="expected">Texts, or `%u` or `%c` alone.</param>
    public string? FindWrong(Dictionary<string, string> expected, ClientInfo client)
    {
        foreach (var (name, text) in expected)
        {
            var wanted = text switch
            {
                "%u" => client.UserName,
                "%c" => client.ClientId,
                _ => text,
            };
            if (wanted is null || !claims.TryGetProperty(name, out var value) || value.ValueKind != JsonValueKind.String || value.GetString() != wanted) return name;
        }

        return null;
    }

    /// <summary>The rules that the token brings: what it lists is allowed until it expires, and nothing else. Null if it has none.</summary>
    public GrantedRules? ReadRules(string claim)
    {
        if (!claims.TryGetProperty(claim, out var lists)) return null;
        var list = new AllowList();
        Add(list, lists, "pub", RuleAccess.Publish);
        Add(list, lists, "sub", RuleAccess.Subscribe);
        Add(list, lists, "all", RuleAccess.Both);
        _ = TryTime("exp", out var expires);
        return new GrantedRules(list.Close(), expires is { } seconds ? DateTimeOffset.FromUnixTimeMilliseconds((long)(Math.Clamp(seconds, 0, LatestTime) * 1000)) : null);
    }

    /// <remarks>A claim that is no object, or a list that is none, allows nothing.</remarks>
    private static void Add(AllowList list, JsonElement lists, string name, RuleAccess access)
    {
        if (lists.ValueKind != JsonValueKind.Object || !lists.TryGetProperty(name, out var filters) || filters.ValueKind != JsonValueKind.Array) return;
        foreach (var filter in filters.EnumerateArray())
        {
            if (filter.ValueKind == JsonValueKind.String) list.Add(access, filter.GetString()!);
        }
    }

    /// <summary>A time in seconds, as a number or a text of one. True with null if the token has none.</summary>
    private bool TryTime(string name, out double? seconds)
    {
        seconds = null;
        if (!claims.TryGetProperty(name, out var value)) return true;
        var text = value.ValueKind switch
        {
            JsonValueKind.Number => value.GetRawText(),
            JsonValueKind.String => value.GetString(),
            _ => null,
        };
        if (!double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var read) || !double.IsFinite(read)) return false;
        seconds = read;
        return true;
    }
}
