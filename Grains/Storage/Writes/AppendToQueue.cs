using Broker.Grains.Interfaces.Messages;

namespace Broker.Grains.Storage.Writes;

/// <summary>Puts a message at a place of a session's queue.</summary>
/// <remarks>Fails with <see cref="SessionFencedException"/> when the place is taken.</remarks>
/// <param name="shared">The body stored once for several sessions; null to store it in the entry.</param>
internal sealed class AppendToQueue(SessionLease lease, long sequence, ApplicationMessage message, SharedBody? shared, Qos qos) : SessionWrite(lease)
{
    private const int Waiting = 0;
    private const int Claimed = 1;
    private const int Cancelled = 2;

    private int state;

    /// <summary>A message that no other session stores.</summary>
    public AppendToQueue(SessionLease lease, long sequence, ApplicationMessage message, Qos qos) : this(lease, sequence, message, null, qos)
    {
    }

    /// <summary>A message whose body is shared with other sessions.</summary>
    public AppendToQueue(SessionLease lease, long sequence, SharedBody shared, Qos qos) : this(lease, sequence, shared.Message, shared, qos)
    {
    }

    /// <summary>Its place; unique in the session for ever.</summary>
    public long Sequence { get; } = sequence;

    /// <summary>What to store.</summary>
    public ApplicationMessage Message { get; } = message;

    /// <summary>The QoS to deliver it with.</summary>
    public Qos Qos { get; } = qos;

    /// <summary>The body stored once for several sessions; null to store it in the entry.</summary>
    public SharedBody? Shared { get; } = shared;

    /// <summary>The RETAIN flag to deliver it with.</summary>
    public bool Retain { get; init; }

    /// <summary>The number of the shared subscription it came by, in its session; 0 if it came by none.</summary>
    public long ShareNumber { get; init; }

    /// <summary>The shard that sent it; counts only with an <see cref="ApplicationMessage.Origin"/>.</summary>
    public int OriginShard { get; init; }

    /// <summary>What is to be remembered of its origin: that of a QoS 2 message, even if it is taken back before it is written.</summary>
    internal OriginMark? OriginMark =>
        Message is { Qos: Qos.ExactlyOnce, Origin: { } origin } ? new OriginMark(origin.Source, OriginShard, origin.Number) : null;

    /// <summary>Identifiers of the subscriptions it matched; empty when they have none.</summary>
    public int[] SubscriptionIdentifiers { get; init; } = [];

    /// <inheritdoc/>
    public override bool CarriesData => true;

    /// <inheritdoc/>
    public override long SizeBytes
    {
        get
        {
            var whole = RowBytes + Message.Payload.Length + Message.Topic.Utf8.Length;
            return Shared is null ? whole : Shared.ClaimSize(whole, RowBytes);
        }
    }

    /// <summary>True if <see cref="TryCancel"/> came in time.</summary>
    internal bool IsCancelled => Volatile.Read(ref state) == Cancelled;

    /// <summary>Takes the write back because the message was delivered and acknowledged meanwhile. Any thread.</summary>
    /// <returns>True if it will not be written: it is reported as committed in its turn, and no removal is needed.
    /// False if it is or will be written, or was cancelled before.</returns>
    public bool TryCancel() => Interlocked.CompareExchange(ref state, Cancelled, Waiting) == Waiting;

    /// <summary>The moment of execution. Writer thread.</summary>
    /// <returns>False if it was cancelled.</returns>
    internal bool TryClaim() => Interlocked.CompareExchange(ref state, Claimed, Waiting) == Waiting;

    /// <summary>A cancelled append cannot fail: nobody waits for it to be stored.</summary>
    internal override void Failed(StoreException reason)
    {
        TryClaim();
        if (IsCancelled) Committed();
        else base.Failed(reason);
    }
}
