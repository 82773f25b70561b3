using System.ComponentModel.DataAnnotations;

namespace Broker.Grains.Interfaces.Delayed;

/// <summary>Limits of the messages that wait for their time.</summary>
public sealed class DelayedOptions
{
    public const string Section = "Delayed";

    /// <summary>How many may wait in each process that hosts grains; 0 is no limit. When full, further ones are refused.</summary>
    [Range(0, int.MaxValue)]
    public int MaxMessages { get; set; } = 1_000_000;

    /// <summary>Largest payload that may wait, in bytes; a larger one is refused.</summary>
    [Range(0, 268_435_455)]
    public int MaxPayloadBytes { get; set; } = 1024 * 1024;
}
