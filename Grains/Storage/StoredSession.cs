namespace Broker.Grains.Storage;

/// <summary>A session as the store gave it to the activation that opened it.</summary>
/// <param name="Lease">The right to write it from now on.</param>
/// <param name="Header">Its header.</param>
/// <param name="Subscriptions">Its subscriptions, in no order.</param>
/// <param name="Queue">What it has not acknowledged, by ascending sequence.</param>
/// <param name="Receipts">Inbound QoS 2 messages not yet released.</param>
internal sealed record StoredSession(
    SessionLease Lease,
    SessionHeader Header,
    IReadOnlyList<SessionSubscription> Subscriptions,
    IReadOnlyList<StoredMessage> Queue,
    IReadOnlyList<StoredReceipt> Receipts)
{
    /// <summary>The highest number the session has had of each origin.</summary>
    public IReadOnlyList<OriginMark> Origins { get; init; } = [];

    /// <summary>True if this opening created the session.</summary>
    public bool IsNew { get; init; }
}

/// <summary>An inbound QoS 2 message that was taken and not yet released.</summary>
/// <param name="PacketIdentifier">The publisher's packet identifier.</param>
/// <param name="Number">The message's number towards the shards.</param>
internal readonly record struct StoredReceipt(ushort PacketIdentifier, long Number);

/// <summary>The highest number of a source's QoS 2 messages that came by one shard: what is not above it is a repetition.</summary>
internal readonly record struct OriginMark(long Source, int Shard, long Number);
