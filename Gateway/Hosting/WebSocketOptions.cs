using System.ComponentModel.DataAnnotations;

namespace Broker.Gateway.Hosting;

/// <summary>How a listener speaks WebSocket (RFC 6455).</summary>
internal sealed class WebSocketOptions
{
    /// <summary>The one path that is served; any other gets 404.</summary>
    [Required, RegularExpression("/.*")]
    public string Path { get; set; } = "/mqtt";

    /// <summary>Whether a client that offers no sub-protocol is refused (400).</summary>
    public bool FailIfNoSubprotocol { get; set; } = true;

    /// <summary>Sub-protocols, with commas between them. The first the client offers that is among them is taken; if none is: 400.</summary>
    [Required]
    public string Subprotocols { get; set; } = "mqtt,mqttv3.1,mqtt-v3,mqtt-v3.1.1,mqtt-v5";

    /// <summary>Whether messages may be compressed (RFC 7692), each by itself.</summary>
    public bool Compression { get; set; }

    /// <summary>Largest frame of a client, and largest compressed message before and after it is inflated, in bytes. Over it: 1009.</summary>
    [Range(1024, int.MaxValue)]
    public int MaxFrameSize { get; set; } = 16 * 1024 * 1024;

    /// <summary>Whether the page that a browser's client comes from must be among <see cref="Origins"/> (else 403).</summary>
    public bool CheckOrigin { get; set; }

    /// <summary>Whether a client may be without an origin, as those outside browsers are, where it is checked.</summary>
    public bool AllowOriginAbsence { get; set; } = true;

    /// <summary>Origins that may connect, with commas between them, such as `https://dashboard.example.com`.</summary>
    public string Origins { get; set; } = "";

    /// <summary>Header in which a proxy tells the client's address: its first address is taken. Empty reads none, which is right where clients connect directly.</summary>
    public string ProxyAddressHeader { get; set; } = "X-Forwarded-For";
}
