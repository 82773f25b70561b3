using System.ComponentModel.DataAnnotations;

namespace Broker.Grains.Interfaces.Metrics;

/// <summary>What this process shows to whoever asks for `/metrics`, and what it measures for that.</summary>
public sealed class MetricsOptions
{
    /// <summary>The section of the configuration.</summary>
    public const string Section = "Metrics";

    /// <summary>Whether the admin port has `/metrics`.</summary>
    public bool Enabled { get; set; } = true;

    /// <summary>Whether anybody may read it. If not, whoever has <see cref="Token"/> may, and in a gateway whoever may call the HTTP API.</summary>
    public bool Open { get; set; } = true;

    /// <summary>The secret of `Authorization: Bearer`; empty if there is none.</summary>
    public string Token { get; set; } = "";

    /// <summary>Of so many deliveries, on average, the way of one is timed; 0 times none.</summary>
    [Range(0, 1_000_000)]
    public int LatencySample { get; set; } = 64;
}
