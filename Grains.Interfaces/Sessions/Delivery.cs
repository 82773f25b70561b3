using Broker.Grains.Interfaces.Messages;

namespace Broker.Grains.Interfaces.Sessions;

/// <summary>One message on its way to one session, all of the session's matching subscriptions merged into one copy.</summary>
/// <param name="Message">What is delivered.</param>
/// <param name="Qos">The QoS of this delivery.</param>
/// <param name="Retain">The RETAIN flag of this delivery.</param>
/// <param name="Identifiers">Identifiers of the matching subscriptions.</param>
/// <param name="Share">The shared subscription it came by, as its whole filter; null for an ordinary one.</param>
/// <param name="Sequence">Its place in the session's order, from 1; 0 until the session gives it one.</param>
[GenerateSerializer, Immutable, Alias("Delivery")]
public readonly record struct Delivery(
    [property: Id(0)] ApplicationMessage Message,
    [property: Id(1)] Qos Qos,
    [property: Id(2)] bool Retain,
    [property: Id(3)] SubscriptionIdentifiers Identifiers = default,
    [property: Id(4)] string? Share = null,
    [property: Id(5)] long Sequence = 0)
{
    /// <summary>The packet identifier, 1 to 65,535, derived from <see cref="Sequence"/> so that it need not be stored
    /// and is the same when the session is loaded again.</summary>
    public ushort PacketIdentifier => (ushort)((Sequence - 1) % ushort.MaxValue + 1);
}
