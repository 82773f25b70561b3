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

    /// <summary>PEM files of the certificate and its key: with them both ports speak HTTPS and nothing else.</summary>
    public string? Certificate { get; set; }

    public string? Key { get; set; }
}
