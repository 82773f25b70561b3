using Broker.Grains.Interfaces.Messages;

namespace Broker.Grains.Storage;

/// <summary>One entry of a session's queue as it was loaded.</summary>
/// <param name="Sequence">Its place in the queue.</param>
/// <param name="Message">The message.</param>
/// <param name="Qos">The QoS it is delivered with.</param>
internal sealed record StoredMessage(long Sequence, ApplicationMessage Message, Qos Qos)
{
    /// <summary>The RETAIN flag it is delivered with.</summary>
    public bool Retain { get; init; }

    /// <summary>The number of the shared subscription it came by; 0 if it came by none.</summary>
    public long ShareNumber { get; init; }

    /// <summary>True once PUBREC came: PUBREL is what must be sent again. [MQTT-4.3.3-5]</summary>
    public bool IsReleased { get; init; }

    /// <summary>Identifiers of the subscriptions it matched; empty when they have none. Not to be written to.</summary>
    public int[] SubscriptionIdentifiers { get; init; } = [];

    /// <summary>The shared body, to be named when the entry is removed; null if the entry has its own.</summary>
    public SharedBody? Shared { get; init; }
}
