using System.Globalization;

namespace Broker.Gateway.Security.Sources;

/// <summary>Reads `host:port`; an IPv6 address with a port stands in brackets.</summary>
internal static class HostPort
{
    /// <exception cref="FormatException">The port is none.</exception>
    public static (string Host, int Port) Parse(string text, int usualPort)
    {
        var colon = text.LastIndexOf(':');
        var isAddressAlone = colon > 0 && text.IndexOf(':', StringComparison.Ordinal) != colon && text[colon - 1] != ']';
        if (colon < 0 || text.EndsWith(']') || isAddressAlone) return (text.Trim('[', ']'), usualPort);
        return int.TryParse(text.AsSpan(colon + 1), NumberStyles.None, CultureInfo.InvariantCulture, out var port) && port is > 0 and < 65536 && colon > 0
            ? (text[..colon].Trim('[', ']'), port) : throw new FormatException($"'{text}' is no host and port");
    }
}
