using System.Security.Cryptography;
using System.Text;
using Broker.Gateway.Hosting;

namespace Broker.Gateway.Transport.WebSocket;

/// <summary>What an upgrade request leads to: 101 with a sub-protocol and perhaps compression, or a refusal.</summary>
internal sealed record UpgradeAnswer(int Status, string Reason, string? Subprotocol = null, bool Deflates = false)
{
    private const string Guid = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"; // RFC 6455, section 1.3

    public bool IsAccepted => Status == 101;

    /// <summary>Decides, in EMQ X's order: origin, then sub-protocol.</summary>
    public static UpgradeAnswer To(UpgradeRequest request, WebSocketOptions options)
    {
        if (request.Path != options.Path) return new UpgradeAnswer(404, "Not Found");
        if (request.Method != "GET") return new UpgradeAnswer(405, "Method Not Allowed");
        if (!Contains(request.List("Upgrade"), "websocket") || !Contains(request.List("Connection"), "Upgrade")) return new UpgradeAnswer(400, "Bad Request");
        if (request.Header("Sec-WebSocket-Version") != "13") return new UpgradeAnswer(426, "Upgrade Required");
        if (!IsKey(request.Header("Sec-WebSocket-Key"))) return new UpgradeAnswer(400, "Bad Request");
        if (options.CheckOrigin && !IsOriginAllowed(request.Header("Origin"), options)) return new UpgradeAnswer(403, "Forbidden");
        var offered = request.List("Sec-WebSocket-Protocol");
        var subprotocol = offered.FirstOrDefault(Split(options.Subprotocols).Contains);
        if (subprotocol is null && (offered.Length > 0 || options.FailIfNoSubprotocol)) return new UpgradeAnswer(400, "Bad Request");
        return new UpgradeAnswer(101, "Switching Protocols", subprotocol, options.Compression && request.List("Sec-WebSocket-Extensions").Any(IsDeflate));
    }

    /// <summary>The answer as it is sent.</summary>
    public byte[] ToBytes(UpgradeRequest? request)
    {
        var text = new StringBuilder($"HTTP/1.1 {Status} {Reason}\r\n");
        if (IsAccepted)
        {
#pragma warning disable CA5350 // the standard's; it protects nothing
            var accept = Convert.ToBase64String(SHA1.HashData(Encoding.ASCII.GetBytes(request!.Header("Sec-WebSocket-Key") + Guid)));
#pragma warning restore CA5350
            text.Append("Upgrade: websocket\r\nConnection: Upgrade\r\n").Append("Sec-WebSocket-Accept: ").Append(accept).Append("\r\n");
            if (Subprotocol is not null) text.Append("Sec-WebSocket-Protocol: ").Append(Subprotocol).Append("\r\n");
            // Each message by itself: a window kept between them would cost a connection hundreds of kilobytes.
            if (Deflates) text.Append("Sec-WebSocket-Extensions: permessage-deflate; server_no_context_takeover; client_no_context_takeover\r\n");
        }
        else
        {
            text.Append("Connection: close\r\nContent-Length: 0\r\n");
            if (Status == 426) text.Append("Sec-WebSocket-Version: 13\r\n");
        }

        return Encoding.ASCII.GetBytes(text.Append("\r\n").ToString());
    }

    private static string[] Split(string list) => list.Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);

    private static bool Contains(string[] list, string wanted) => list.Contains(wanted, StringComparer.OrdinalIgnoreCase);

    private static bool IsKey(string? key) => key is { Length: 24 } && Convert.TryFromBase64String(key, new byte[18], out var length) && length == 16;

    private static bool IsOriginAllowed(string? origin, WebSocketOptions options) =>
        origin is null ? options.AllowOriginAbsence : Contains(Split(options.Origins), origin);

    /// <summary>An offer of permessage-deflate that can be kept: a smaller window of the server's cannot.</summary>
    private static bool IsDeflate(string offer)
    {
        var parts = offer.Split(';', StringSplitOptions.TrimEntries);
        return parts[0] == "permessage-deflate"
            && parts.AsSpan(1).ToArray().All(part => part is "server_no_context_takeover" or "client_no_context_takeover" || part.StartsWith("client_max_window_bits", StringComparison.Ordinal));
    }
}
