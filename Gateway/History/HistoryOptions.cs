using System.ComponentModel.DataAnnotations;

namespace Broker.Gateway.History;

/// <summary>What is remembered of clients for whoever asks why.</summary>
internal sealed class HistoryOptions
{
    public const string Section = "History";

    /// <summary>Clients of whom something is remembered; who had no event for longest makes room. 0 remembers nothing.</summary>
    [Range(0, 1_000_000)]
    public int Clients { get; set; } = 50_000;

    /// <summary>Events remembered of each, the last ones.</summary>
    [Range(1, 1_000)]
    public int Length { get; set; } = 32;
}
