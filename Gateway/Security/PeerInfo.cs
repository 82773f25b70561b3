using System.Net;

namespace Broker.Gateway.Security;

/// <summary>What is known of a connection's other end before CONNECT: where it came in, from where, and what a certificate says of it.</summary>
/// <remarks>Replaced, not changed, when the PROXY header, the TLS handshake or the WebSocket upgrade tells more.</remarks>
internal sealed record PeerInfo(ListenerInfo Listener, EndPoint? RemoteAddress)
{
    /// <summary>The common name of the client's certificate, as TLS or the PROXY header has it, or its PSK identity.</summary>
    public string? CommonName { get; init; }

    /// <summary>The distinguished name of the client's certificate.</summary>
    public string? Subject { get; init; }

    /// <summary>The user name that the certificate gives; replaces CONNECT's.</summary>
    public string? UserName { get; init; }

    /// <summary>The client identifier that the certificate gives; replaces CONNECT's.</summary>
    public string? ClientId { get; init; }
}
