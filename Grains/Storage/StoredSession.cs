namespace Broker.Grains.Storage;

/// <summary>A session as the store gave it to the activation that opened it.</summary>
/// <param name="Lease">The right to write it from now on.</param>
/// <param name="Header">Its header.</param>
/// <param name="Subscriptions">Its subscriptions, in no order.</param>
/// <param name="Queue">What it has not acknowledged, by ascending sequence.</param>
/// <param name="Receipts">Packet identifiers of inbound QoS 2 messages not yet released.</param>
internal sealed record StoredSession(
    SessionLease Lease,
    SessionHeader Header,
    IReadOnlyList<SessionSubscription> Subscriptions,
    IReadOnlyList<StoredMessage> Queue,
    IReadOnlyList<ushort> Receipts)
{
    /// <summary>True if this opening created the session.</summary>
    public bool IsNew { get; init; }
}
