using System.Text;
using Broker.Gateway.Transport.Proxy;

namespace Broker.Gateway.Transport.WebSocket;

/// <summary>The HTTP request that opens a WebSocket.</summary>
/// <param name="Headers">Several of the same name are joined by commas.</param>
internal sealed record UpgradeRequest(string Method, string Path, IReadOnlyDictionary<string, string> Headers)
{
    /// <summary>Largest request line and headers together.</summary>
    public const int MaxBytes = 8 * 1024;

    /// <summary>Reads a request from the begin of a connection; never throws.</summary>
    /// <param name="consumed">Its length when it is complete.</param>
    public static ReadOutcome TryRead(ReadOnlySpan<byte> input, out UpgradeRequest? request, out int consumed)
    {
        (request, consumed) = (null, 0);
        // What cannot become a request is not waited for.
        if (input.Length > 0 && !char.IsAsciiLetterUpper((char)input[0])) return ReadOutcome.Invalid;
        var end = input[..Math.Min(input.Length, MaxBytes)].IndexOf("\r\n\r\n"u8);
        if (end < 0) return input.Length < MaxBytes ? ReadOutcome.Incomplete : ReadOutcome.Invalid;
        consumed = end + 4;
        var lines = Encoding.Latin1.GetString(input[..end]).Split("\r\n");
        if (lines[0].Split(' ') is not [var method, var target, "HTTP/1.1"]) return ReadOutcome.Invalid;
        var headers = new Dictionary<string, string>(StringComparer.OrdinalIgnoreCase);
        foreach (var line in lines.AsSpan(1))
        {
            var colon = line.IndexOf(':', StringComparison.Ordinal);
            if (colon <= 0 || line.AsSpan(0, colon).ContainsAny(" \t")) return ReadOutcome.Invalid;
            var (name, value) = (line[..colon], line[(colon + 1)..].Trim());
            headers[name] = headers.TryGetValue(name, out var known) ? $"{known},{value}" : value;
        }

        request = new UpgradeRequest(method, target.Split('?')[0], headers);
        return ReadOutcome.Complete;
    }

    /// <summary>The header's value; null if there is none.</summary>
    public string? Header(string name) => Headers.GetValueOrDefault(name);

    /// <summary>The parts of a header that is a list; none if it is not there.</summary>
    public string[] List(string name) => Header(name)?.Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries) ?? [];
}
