using System.ComponentModel.DataAnnotations;

namespace Broker.Gateway.Hosting;

/// <summary>Where the gateway listens and with what means.</summary>
internal sealed class GatewayOptions
{
    public const string Section = "Gateway";
    public const int DefaultMaxConnections = 1_024_000;

    /// <summary>Address of the one listener that there is if section `Listeners` names none: an IP address, or `*` for all.</summary>
    [Required]
    public string Address { get; set; } = "*";

    /// <summary>Its port; 0 takes a free one.</summary>
    [Range(0, 65_535)]
    public int Port { get; set; } = 1883;

    /// <summary>Connections waiting to be accepted.</summary>
    [Range(1, 65_535)]
    public int Backlog { get; set; } = 1024;

    /// <summary>Most connections at a time; further ones are closed at once. Never more than the process has file descriptors for.</summary>
    [Range(1, 10_000_000)]
    public int MaxConnections { get; set; } = DefaultMaxConnections;

    /// <summary>Connections that may be in their handshake at a time; more wait unaccepted.</summary>
    [Range(1, 1_000_000)]
    public int MaxHandshakes { get; set; } = 4096;

    /// <summary>CONNECTs a second; 0 is no limit. Over it: 0x9F, and over three quarters of it only clients that resume a session are taken.</summary>
    [Range(0, 1_000_000)]
    public int MaxConnectRate { get; set; }

    /// <summary>Clients that may wait for their authentication at a time. Over it: 0x89, and over three quarters of it only clients that resume a session are taken.</summary>
    [Range(16, 1_000_000)]
    public int MaxPendingConnects { get; set; } = 1024;

    /// <summary>How long an authentication may take: then 0x89. If none is answered for so long, the bound on those that wait is a quarter.</summary>
    [Range(typeof(TimeSpan), "00:00:00.1", "01:00:00")]
    public TimeSpan MaxConnectWait { get; set; } = TimeSpan.FromSeconds(10);

    /// <summary>Event loops; 0 takes half the processors. One loop serves as many clients as one core can.</summary>
    [Range(0, 256)]
    public int EventLoops { get; set; }

    /// <summary>`auto` uses epoll on Linux; `portable` uses .NET's sockets everywhere.</summary>
    [RegularExpression("auto|epoll|portable")]
    public string Transport { get; set; } = "auto";

    /// <summary>Name of this node in $SYS topics.</summary>
    [Required, RegularExpression("[^/+#]+")]
    public string NodeName { get; set; } = "broker@127.0.0.1";

    /// <summary>Where 5.0 clients are sent when this process stops: `host` or `host:port`, usually the load balancer's. Empty only tells them that it stops.</summary>
    [RegularExpression(@"[^\x00]{0,16383}")]
    public string ServerReference { get; set; } = "";

    /// <summary>How often the files of certificates and keys are looked at for changes.</summary>
    [Range(typeof(TimeSpan), "00:00:00.1", "1.00:00:00")]
    public TimeSpan CertificateReloadInterval { get; set; } = TimeSpan.FromSeconds(10);

    /// <summary>How long a stop may take to hand over clients and flush.</summary>
    [Range(typeof(TimeSpan), "00:00:00", "00:10:00")]
    public TimeSpan DrainTimeout { get; set; } = TimeSpan.FromSeconds(10);

    /// <summary>The number of event loops in effect.</summary>
    public int EffectiveEventLoops => EventLoops > 0 ? EventLoops : Math.Max(1, Environment.ProcessorCount / 2);
}
