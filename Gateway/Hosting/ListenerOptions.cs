using System.ComponentModel.DataAnnotations;
using Broker.Gateway.Mqtt.Limits;

namespace Broker.Gateway.Hosting;

/// <summary>The listeners by name, section `Listeners`. With none, there is one for plain TCP, by <see cref="GatewayOptions.Address"/> and <see cref="GatewayOptions.Port"/>.</summary>
internal sealed class ListenersOptions() : Dictionary<string, ListenerOptions>(StringComparer.OrdinalIgnoreCase)
{
    public const string Section = "Listeners";

    /// <summary>Name of the listener that there is if the section names none.</summary>
    public const string Default = "default";
}

/// <summary>One listener. Names and defaults follow EMQ X 4.x's listener keys where it has them.</summary>
internal sealed class ListenerOptions
{
    /// <summary>Whether there is such a listener: false turns off one that a file has.</summary>
    public bool Enabled { get; set; } = true;

    /// <summary>`tcp`, `tls`, `ws` (WebSocket) or `wss` (WebSocket over TLS).</summary>
    [RegularExpression("tcp|tls|wss|ws")]
    public string Kind { get; set; } = "tcp";

    /// <summary>An IP address, or `*` for all.</summary>
    [Required]
    public string Address { get; set; } = "*";

    /// <summary>0 takes a free one; null takes the kind's usual one: 1883, 8883, 8083, 8084.</summary>
    [Range(0, 65_535)]
    public int? Port { get; set; }

    /// <summary>Most connections of this listener at a time; further ones are closed at once.</summary>
    [Range(1, 10_000_000)]
    public int MaxConnections { get; set; } = GatewayOptions.DefaultMaxConnections;

    /// <summary>Most connections accepted a second, more wait in the kernel's backlog; 0 is no limit.</summary>
    [Range(0, 1_000_000)]
    public int MaxConnectRate { get; set; }

    /// <summary>As <see cref="MqttOptions.MessageRate"/>, which null takes; 0 is no limit.</summary>
    [Rate]
    public string? MessageRate { get; set; }

    /// <summary>As <see cref="MqttOptions.MessageBurst"/>, which null takes.</summary>
    [Range(0, TokenBucket.MaxBurst)]
    public long? MessageBurst { get; set; }

    /// <summary>As <see cref="MqttOptions.ByteRate"/>, which null takes; 0 is no limit.</summary>
    [Rate]
    public string? ByteRate { get; set; }

    /// <summary>As <see cref="MqttOptions.ByteBurst"/>, which null takes.</summary>
    [Range(0, TokenBucket.MaxBurst)]
    public long? ByteBurst { get; set; }

    /// <summary>As <see cref="MqttOptions.Mountpoint"/>, which null takes.</summary>
    [RegularExpression(@"[^+#\x00]{0,1024}")]
    public string? Mountpoint { get; set; }

    /// <summary>Whether clients are asked who they are.</summary>
    public bool Authentication { get; set; } = true;

    /// <summary>Whether every connection begins with a PROXY protocol header, version 1 or 2.</summary>
    public bool ProxyProtocol { get; set; }

    /// <summary>How long the header may take.</summary>
    [Range(typeof(TimeSpan), "00:00:00.1", "00:10:00")]
    public TimeSpan ProxyProtocolTimeout { get; set; } = TimeSpan.FromSeconds(3);

    /// <summary>Who may connect: `allow 10.0.0.0/8`, `deny all`; the first that matches counts, and without one everybody may.</summary>
    public List<string> Access { get; set; } = [];

    /// <summary>What of the client's certificate replaces its user name. Without TLS only `cn`, of a PROXY header; with PSK `cn` is its identity.</summary>
    [RegularExpression("cn|dn|crt|pem|md5")]
    public string? IdentityAsUserName { get; set; }

    /// <summary>What of the client's certificate replaces its client identifier.</summary>
    [RegularExpression("cn|dn|crt|pem|md5")]
    public string? IdentityAsClientId { get; set; }

    public TlsOptions Tls { get; set; } = new();

    public WebSocketOptions WebSocket { get; set; } = new();

    public bool IsSecure => Kind is "tls" or "wss";

    public bool IsWebSocket => Kind is "ws" or "wss";

    /// <summary>The port in effect.</summary>
    public int EffectivePort => Port ?? Kind switch
    {
        "tls" => 8883,
        "ws" => 8083,
        "wss" => 8084,
        _ => 1883,
    };
}
