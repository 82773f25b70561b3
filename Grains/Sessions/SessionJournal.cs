using Broker.Grains.Interfaces.Messages;
using Broker.Grains.Interfaces.Metrics;
using Broker.Grains.Interfaces.Routing;
using Broker.Grains.Interfaces.Sessions;
using Broker.Grains.Storage;
using Broker.Grains.Storage.Writes;

namespace Broker.Grains.Sessions;

/// <summary>Keeps one durable session's queue and receipts in step with the store, and remembers what is on its way there.</summary>
/// <remarks>Called under the session's lock; outcomes come on the store's writer thread and go to the session, which takes its lock.</remarks>
internal sealed class SessionJournal(BrokerStore store, SessionLease lease, DurableSession session, ShardMap map)
{
    /// <summary>Deliveries whose append has not been reported yet, by sequence.</summary>
    private readonly Dictionary<long, PendingAppend> pending = [];

    /// <summary>Shared bodies of deliveries that are in the store, by sequence; most deliveries have none.</summary>
    private readonly Dictionary<long, SharedBody> bodies = [];

    /// <summary>Sequences whose PUBREC is being stored: PUBREL is not sent before.</summary>
    private readonly HashSet<long> releasing = [];

    /// <summary>The right to write the session.</summary>
    public SessionLease Lease => lease;

    /// <summary>A delivery that was loaded.</summary>
    public Delivery Restore(StoredMessage entry, string? share)
    {
        if (entry.Shared is { } body) bodies[entry.Sequence] = body;
        var identifiers = entry.SubscriptionIdentifiers.Aggregate(default(SubscriptionIdentifiers), (all, one) => all.With(one));
        return new Delivery(entry.Message, entry.Qos, entry.Retain, identifiers, share, entry.Sequence);
    }

    /// <summary>Whether a delivery, or that PUBREC has come for it, is still being written.</summary>
    public bool IsPending(in Delivery delivery) => pending.ContainsKey(delivery.Sequence) || releasing.Contains(delivery.Sequence);

    /// <summary>Stores a delivery.</summary>
    /// <param name="body">What several sessions store together; null if this is the only one.</param>
    /// <param name="receipt">Is answered when the delivery is safe, or has been refused.</param>
    /// <param name="activity">Ends when it is stored; null if it is not traced.</param>
    public void Append(in Delivery delivery, SharedBody? body, PublishReceipt? receipt, MessageActivity? activity = null)
    {
        receipt?.Expect();
        var identifiers = delivery.Identifiers;
        var stored = SubscriptionIdentifiers.AsSpan(identifiers).ToArray();
        var shard = delivery.Message.Origin is null ? 0 : map.ShardOf(delivery.Message.Topic);
        var observer = new PendingAppend(this, delivery, receipt, activity);
        var append = new AppendToQueue(lease, delivery.Sequence, delivery.Message, body, delivery.Qos)
        {
            Observer = observer,
            Retain = delivery.Retain,
            SubscriptionIdentifiers = stored,
            OriginShard = shard,
            ShareNumber = delivery.Share is { } share ? session.Subscriptions.Find(share)?.Number ?? 0 : 0,
        };
        observer.Append = append;
        pending[delivery.Sequence] = observer;
        if (body is not null) bodies[delivery.Sequence] = body;
        store.Submit(append);
    }

    /// <summary>Answers when all that was handed to the store before is stored.</summary>
    public void AwaitAll(PublishReceipt receipt)
    {
        receipt.Expect();
        store.Submit(new WriteGroup { IsData = true, Observer = new Answering(session, receipt) });
    }

    /// <summary>Takes a delivery out of the store; if its append has not had its turn, it never will.</summary>
    public void Remove(in Delivery delivery)
    {
        if (delivery.Sequence == 0) return;
        bodies.Remove(delivery.Sequence, out var body);
        if (pending.Remove(delivery.Sequence, out var append) && append.TryCancel()) return;
        store.Submit(new RemoveFromQueue(lease, delivery.Sequence, body));
    }

    /// <summary>Stores that PUBREC has come; the session sends PUBREL then.</summary>
    public void MarkReleased(in Delivery delivery)
    {
        if (releasing.Add(delivery.Sequence)) store.Submit(new MarkReleased(lease, delivery.Sequence) { Observer = new ReleaseMark(session, delivery) });
    }

    /// <summary>Stores an incoming QoS 2 identifier.</summary>
    public void AddReceipt(ushort packetIdentifier, long number, IStoreObserver observer) =>
        store.Submit(new AddReceipt(lease, packetIdentifier, number) { Observer = observer });

    /// <summary>Forgets an incoming QoS 2 identifier.</summary>
    /// <param name="receipt">Is answered when that is stored; null if nobody waits.</param>
    public void RemoveReceipt(ushort packetIdentifier, PublishReceipt? receipt)
    {
        receipt?.Expect();
        store.Submit(new RemoveReceipt(lease, packetIdentifier) { Observer = receipt is null ? null : new Answering(session, receipt) });
    }

    /// <inheritdoc cref="DurableSession.StopsIfFenced"/>
    public bool StopsIfFenced(StoreException reason) => session.StopsIfFenced(reason);

    /// <summary>Takes note that an append was reported. Under the session's lock.</summary>
    /// <returns>False if the delivery had gone already.</returns>
    public bool Settle(in Delivery delivery) => pending.Remove(delivery.Sequence);

    /// <summary>Takes note that a release mark was reported. Under the session's lock.</summary>
    public void SettleRelease(in Delivery delivery) => releasing.Remove(delivery.Sequence);

    /// <summary>Forgets a delivery that was refused. Under the session's lock.</summary>
    public void Drop(in Delivery delivery)
    {
        pending.Remove(delivery.Sequence);
        bodies.Remove(delivery.Sequence);
    }

    /// <summary>Waits for one append and answers its publisher once: when it is stored, cancelled because the client has it, or refused.</summary>
    private sealed class PendingAppend(SessionJournal journal, Delivery delivery, PublishReceipt? receipt, MessageActivity? activity) : IStoreObserver
    {
        private PublishReceipt? receipt = receipt;

        public AppendToQueue? Append { get; set; }

        /// <summary>The client has acknowledged it: it need not be written any more.</summary>
        public bool TryCancel()
        {
            Answer(ReasonCode.Success);
            var cancelled = Append!.TryCancel();
            if (cancelled) activity?.Cancel();
            return cancelled;
        }

        public void Committed(StoreWrite write)
        {
            activity?.Dispose();
            journal.Session.OnStored(delivery);
            Answer(ReasonCode.Success);
        }

        public void Failed(StoreWrite write, StoreException reason)
        {
            activity?.Fail(reason.Message);
            journal.Session.OnNotStored(delivery, reason);
            Answer(ReasonCode.QuotaExceeded);
        }

        private void Answer(ReasonCode code) => Interlocked.Exchange(ref receipt, null)?.Answer(code);
    }

    private DurableSession Session => session;

    /// <summary>Tells a receipt what became of a write.</summary>
    private sealed class Answering(DurableSession session, PublishReceipt receipt) : IStoreObserver
    {
        public void Committed(StoreWrite write) => receipt.Answer(ReasonCode.Success);

        public void Failed(StoreWrite write, StoreException reason)
        {
            session.StopsIfFenced(reason);
            receipt.Answer(ReasonCode.QuotaExceeded);
        }
    }

    private sealed class ReleaseMark(DurableSession session, Delivery delivery) : IStoreObserver
    {
        public void Committed(StoreWrite write) => session.OnReleaseStored(delivery, null);

        public void Failed(StoreWrite write, StoreException reason) => session.OnReleaseStored(delivery, reason);
    }
}
