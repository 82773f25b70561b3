using System.ComponentModel.DataAnnotations;

namespace Broker.Silo.Health;

/// <summary>Where operators and orchestrators reach this process over HTTP.</summary>
internal sealed class AdminOptions
{
    public const string Section = "Admin";

    /// <summary>Address of the admin port: an IP address, or `*` for all.</summary>
    [Required]
    public string Address { get; set; } = "*";

    /// <summary>The admin port; 0 takes a free one.</summary>
    [Range(0, 65_535)]
    public int Port { get; set; } = 8081;

    /// <summary>Port of a gateway's dashboard, at the same address; 0 takes a free one.</summary>
    [Range(0, 65_535)]
    public int DashboardPort { get; set; } = 18083;

    /// <summary>Most connections to each of the ports at a time; further ones are closed at once.</summary>
    [Range(8, 100_000)]
    public int MaxConnections { get; set; } = 512;

    /// <summary>How long a request's headers may take.</summary>
    [Range(typeof(TimeSpan), "00:00:00.1", "01:00:00")]
    public TimeSpan HeaderTimeout { get; set; } = TimeSpan.FromSeconds(15);

    /// <summary>How long a connection may be idle between requests.</summary>
    [Range(typeof(TimeSpan), "00:00:01", "01:00:00")]
    public TimeSpan IdleTimeout { get; set; } = TimeSpan.FromMinutes(1);

    /// <summary>PEM files of the certificate and its key: with them both ports speak HTTPS and nothing else. Read again when they change.</summary>
    public string? Certificate { get; set; }

    public string? Key { get; set; }
}
