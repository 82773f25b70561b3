using System.ComponentModel.DataAnnotations;

namespace Broker.Gateway.Security.Guard;

/// <summary>When somebody who fails to authenticate is answered late.</summary>
internal sealed class BruteForceOptions
{
    public const string Section = "Security:BruteForce";

    /// <summary>Failures of an address or a user name within <see cref="Window"/> that are answered at once; 0 answers all at once.</summary>
    [Range(0, 1_000_000)]
    public int Failures { get; set; } = 10;

    /// <summary>From the first failure on; above <see cref="Failures"/> from the last one on.</summary>
    [Range(typeof(TimeSpan), "00:00:01", "1.00:00:00")]
    public TimeSpan Window { get; set; } = TimeSpan.FromMinutes(1);

    /// <summary>Longest delay. The first is a 32nd of it, and each is twice the one before.</summary>
    [Range(typeof(TimeSpan), "00:00:00", "00:10:00")]
    public TimeSpan MaxDelay { get; set; } = TimeSpan.FromSeconds(5);

    /// <summary>Connections that may wait for their delayed refusal at a time; further ones are closed at once, without an answer.</summary>
    [Range(0, 1_000_000)]
    public int MaxDelayed { get; set; } = 1000;
}
