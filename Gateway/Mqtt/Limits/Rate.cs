using System.Globalization;
using System.Text.RegularExpressions;

namespace Broker.Gateway.Mqtt.Limits;

/// <summary>So much in so long a time.</summary>
/// <param name="Amount">Messages or bytes; 0 is no limit.</param>
/// <param name="Period">A millisecond to an hour.</param>
internal readonly partial record struct Rate(long Amount, TimeSpan Period)
{
    /// <summary>What <see cref="TryParse"/> reads, for whoever must be told.</summary>
    public const string Notation = "a rate such as 100/s, 1000/10s or 100KB/s, with a period of at most 1h, or 0 for no limit";

    private const long MaxAmount = 1_000_000_000;

    public bool IsUnlimited => Amount == 0;

    /// <summary>Reads `100/s`, `1000/10s`, `100KB/500ms`, and `100KB,10s` as EMQ X writes it. KB, MB and GB go by 1024. Nothing, and `0`, is no limit.</summary>
    public static bool TryParse(string? text, out Rate rate)
    {
        rate = default;
        if (string.IsNullOrWhiteSpace(text) || text.Trim() == "0") return true;
        var match = Form().Match(text);
        if (!match.Success || !long.TryParse(match.Groups["amount"].ValueSpan, CultureInfo.InvariantCulture, out var amount)) return false;
        var count = 1;
        if (match.Groups["count"].Length > 0 && !int.TryParse(match.Groups["count"].ValueSpan, CultureInfo.InvariantCulture, out count)) return false;
        if (amount is < 1 or > MaxAmount || count is < 1 or > 3_600_000) return false;
        amount *= match.Groups["size"].Value switch { "KB" => 1L << 10, "MB" => 1L << 20, "GB" => 1L << 30, _ => 1 };
        var period = TimeSpan.FromMilliseconds(match.Groups["unit"].Value switch { "ms" => 1L, "s" => 1000L, "m" => 60_000L, _ => 3_600_000L } * count);
        if (amount > MaxAmount || period > TimeSpan.FromHours(1)) return false;
        rate = new Rate(amount, period);
        return true;
    }

    /// <summary>Of a text that has been checked.</summary>
    public static Rate Parse(string? text) => TryParse(text, out var rate) ? rate : throw new FormatException($"'{text}' is not {Notation}.");

    [GeneratedRegex(@"^\s*(?<amount>\d{1,10})(?<size>KB|MB|GB)?\s*[/,]\s*(?<count>\d{0,7})(?<unit>ms|s|m|h)\s*$", RegexOptions.ExplicitCapture)]
    private static partial Regex Form();
}
