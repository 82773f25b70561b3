using System.ComponentModel.DataAnnotations;

namespace Broker.Silo;

/// <summary>How this process takes part in the Orleans cluster.</summary>
internal sealed class SiloOptions
{
    public const string Section = "Silo";

    /// <summary>Port for other members of the cluster; 0 takes a free one.</summary>
    [Range(0, 65_535)]
    public int Port { get; set; }
}
