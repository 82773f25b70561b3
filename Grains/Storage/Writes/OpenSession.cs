using Broker.Grains.Interfaces.Messages;

namespace Broker.Grains.Storage.Writes;

/// <summary>Raises a session's epoch and reads all of it, in its turn among the writes.</summary>
/// <param name="clientId">Which session.</param>
/// <param name="ifNew">The header to create it with if it is absent; null to leave it absent.</param>
internal sealed class OpenSession(string clientId, SessionHeader? ifNew) : StoreWrite
{
    private readonly TaskCompletionSource<SessionRows?> opened = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Which session.</summary>
    public string ClientId { get; } = clientId;

    /// <summary>The header to create it with; null to leave it absent.</summary>
    public SessionHeader? IfNew { get; } = ifNew;

    /// <summary>What was read; null when absent. Set by the database.</summary>
    public SessionRows? Rows { get; set; }

    /// <summary>Ends after COMMIT, off the writer thread.</summary>
    public Task<SessionRows?> Opened => opened.Task;

    /// <inheritdoc/>
    public override bool CarriesData => true;

    /// <inheritdoc/>
    internal override void Committed() => opened.TrySetResult(Rows);

    /// <inheritdoc/>
    internal override void Failed(StoreException reason) => opened.TrySetException(reason);
}

/// <summary>A session as read on the writer thread; message bodies are decoded later, by whoever asked.</summary>
internal sealed record SessionRows(
    SessionLease Lease, SessionHeader Header, List<SessionSubscription> Subscriptions, List<QueueRow> Queue, List<StoredReceipt> Receipts)
{
    /// <summary>What it has had of each origin.</summary>
    public List<OriginMark> Origins { get; init; } = [];

    /// <summary>True if it was created now.</summary>
    public bool IsNew { get; init; }
}

/// <summary>One queue entry before decoding.</summary>
internal sealed record QueueRow(long Sequence, byte[] Body, long BodyId, Qos Qos)
{
    /// <summary>The RETAIN flag.</summary>
    public bool Retain { get; init; }

    /// <summary>True once PUBREC came.</summary>
    public bool IsReleased { get; init; }

    /// <summary>The number of the shared subscription it came by; 0 if it came by none.</summary>
    public long ShareNumber { get; init; }

    /// <summary>Subscription identifiers.</summary>
    public int[] SubscriptionIdentifiers { get; init; } = [];
}
