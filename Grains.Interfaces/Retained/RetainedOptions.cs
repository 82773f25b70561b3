using System.ComponentModel.DataAnnotations;

namespace Broker.Grains.Interfaces.Retained;

/// <summary>Limits of the retained messages.</summary>
public sealed class RetainedOptions
{
    public const string Section = "Retained";

    /// <summary>How many there may be in the whole cluster; 0 is no limit. When full, only topics already there may be replaced.</summary>
    [Range(0, int.MaxValue)]
    public int MaxMessages { get; set; }

    /// <summary>Largest payload that is stored, in bytes; a larger one is delivered but not stored.</summary>
    [Range(0, 268_435_455)]
    public int MaxPayloadBytes { get; set; } = 1024 * 1024;

    /// <summary>How long a retained message without an expiry interval of its own is kept, in seconds; 0 is for ever.</summary>
    [Range(0, int.MaxValue)]
    public int ExpirySeconds { get; set; }

    /// <summary>Whether the empty message that deletes a retained one goes to subscribers too (it does by default, as the standard says).</summary>
    public bool StopPublishClearMessage { get; set; }
}
