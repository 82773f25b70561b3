namespace Broker.Grains.Storage.Writes;

/// <summary>One thing to be written. Used once; not to be changed after it was submitted.</summary>
internal abstract class StoreWrite
{
    /// <summary>What a row weighs beside its message, for the bound on pending bytes: the object, its list slot and the row's columns.</summary>
    protected const int RowBytes = 128;

    /// <summary>Learns the outcome; null when nobody cares.</summary>
    public IStoreObserver? Observer { get; init; }

    /// <summary>True for what may be refused when the store is full or failing; removals and marks are kept and retried.</summary>
    public abstract bool CarriesData { get; }

    /// <summary>How many writes this counts for.</summary>
    public virtual int Count => 1;

    /// <summary>Estimated memory held while it waits. Asked once, when it is submitted.</summary>
    public virtual long SizeBytes => RowBytes;

    /// <summary>Set by the database when this write alone was refused. Writer thread.</summary>
    internal StoreException? Refusal { get; set; }

    /// <summary>The size at submission, given back when it is reported.</summary>
    internal long AdmittedBytes { get; set; }

    /// <summary>Reports success.</summary>
    internal virtual void Committed() => Observer?.Committed(this);

    /// <summary>Reports failure.</summary>
    internal virtual void Failed(StoreException reason) => Observer?.Failed(this, reason);
}

/// <summary>A write to a session, refused if the lease is no longer the current one.</summary>
internal abstract class SessionWrite(SessionLease lease) : StoreWrite
{
    /// <summary>The right by which it is written.</summary>
    public SessionLease Lease { get; } = lease;
}
