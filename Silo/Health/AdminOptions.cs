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
}
