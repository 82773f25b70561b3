using System.ComponentModel.DataAnnotations;

namespace Broker.Silo;

/// <summary>This process as a member of its cluster.</summary>
internal sealed class NodeOptions
{
    public const string Section = "Cluster";

    /// <summary>The IP address at which other members reach this one; empty takes the one from which this machine reaches the database.</summary>
    public string Address { get; set; } = "";

    /// <summary>Port for other members; 0 takes a free one.</summary>
    [Range(0, 65_535)]
    public int Port { get; set; }

    /// <summary>Whether grains may live in this process. False makes a gateway a pure front end.</summary>
    public bool HostGrains { get; set; } = true;

    /// <summary>How long a process that was told to stop goes on serving after it has turned unready, so that load balancers notice.</summary>
    [Range(typeof(TimeSpan), "00:00:00", "00:05:00")]
    public TimeSpan DrainDelay { get; set; }
}
