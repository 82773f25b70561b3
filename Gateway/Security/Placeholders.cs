using System.Globalization;
using System.Net;

namespace Broker.Gateway.Security;

/// <summary>What a placeholder in an operator's query or request stands for.</summary>
internal static class Placeholders
{
    /// <summary>The letters that <see cref="Resolve"/> knows.</summary>
    public const string Known = "ucaCdrpm";

    /// <summary>The value of one placeholder; null if the client has none.</summary>
    /// <param name="name">The letter behind the percent sign: user name (u), client identifier (c), address (a), the certificate's common name (C) and subject (d),
    /// protocol (r), the listener's port (p), mountpoint (m).</param>
    public static string? Resolve(char name, ClientInfo client) => name switch
    {
        'u' => client.UserName,
        'c' => client.ClientId,
        'a' => AddressOf(client)?.ToString(),
        'C' => client.CommonName,
        'd' => client.Subject,
        'r' => "mqtt",
        'p' => client.ListenerPort.ToString(CultureInfo.InvariantCulture),
        'm' => client.Mountpoint,
        _ => throw new ArgumentOutOfRangeException(nameof(name), name, null),
    };

    /// <summary>Whether a client's name would widen a filter that it stands in: clients choose their names.</summary>
    public static bool HasWildcard(string? name) => name.AsSpan().IndexOfAny('+', '#') >= 0;

    /// <summary>Where a client comes from, an IPv4 address as such.</summary>
    public static IPAddress? AddressOf(ClientInfo client) =>
        client.RemoteAddress is not IPEndPoint { Address: var address } ? null : address.IsIPv4MappedToIPv6 ? address.MapToIPv4() : address;
}
