using Broker.Grains.Interfaces.Messages;
using Broker.Grains.Interfaces.Sessions;
using Broker.Grains.Storage;
using Broker.Grains.Storage.Writes;

namespace Broker.Grains.Sessions;

/// <summary>What the session writes, and what it does when that is done.</summary>
internal sealed partial class DurableSession
{
    /// <summary>Appends a delivery to the stored queue.</summary>
    private void Store(in Delivery delivery, SharedBody? body, PublishReceipt? receipt)
    {
        receipt?.Expect();
        var identifiers = delivery.Identifiers;
        var observer = new PendingAppend(this, delivery, receipt);
        var append = body is null
            ? new AppendToQueue(lease, delivery.Sequence, delivery.Message, delivery.Qos)
            {
                Observer = observer, Retain = delivery.Retain, SubscriptionIdentifiers = SubscriptionIdentifiers.AsSpan(identifiers).ToArray(),
            }
            : new AppendToQueue(lease, delivery.Sequence, body, delivery.Qos)
            {
                Observer = observer, Retain = delivery.Retain, SubscriptionIdentifiers = SubscriptionIdentifiers.AsSpan(identifiers).ToArray(),
            };
        observer.Append = append;
        pending[delivery.Sequence] = observer;
        if (body is not null) bodies[delivery.Sequence] = body;
        store.Submit(append);
    }

    /// <summary>Takes a delivery out of the stored queue; if its append has not had its turn, it never will.</summary>
    private void Remove(in Delivery delivery)
    {
        if (delivery.Sequence == 0) return;
        bodies.Remove(delivery.Sequence, out var body);
        if (pending.Remove(delivery.Sequence, out var append))
        {
            if (append.TryCancel()) return;
        }

        store.Submit(new RemoveFromQueue(lease, delivery.Sequence, body));
    }

    /// <summary>A delivery is stored. Writer thread.</summary>
    private void OnStored(in Delivery delivery)
    {
        lock (gate)
        {
            if (!pending.Remove(delivery.Sequence) || delivery.Qos != Qos.ExactlyOnce || pipe is null) return;
            // It was put in flight but held back until now; if it still has to be repeated its turn comes.
            if (!repeats.Contains(delivery) && state.IsInflight(delivery.PacketIdentifier, delivery.Sequence)) pipe.Publish(delivery, dup: false);
        }
    }

    /// <summary>A delivery could not be stored: its publisher is told and may try again, so what has not been sent yet is taken back.</summary>
    private void OnNotStored(in Delivery delivery, StoreException reason)
    {
        lock (gate)
        {
            pending.Remove(delivery.Sequence);
            bodies.Remove(delivery.Sequence);
            if (reason is SessionFencedException)
            {
                // Another activation owns the session now; this one stops at once (design, section 3).
                Close(ReasonCode.SessionTakenOver);
                Fenced?.Invoke();
                return;
            }

            if (delivery.Qos == Qos.ExactlyOnce) state.Complete(delivery.PacketIdentifier, out _);
            state.Discard(delivery.Sequence);
            Pump();
        }
    }

    /// <summary>Raised, under the lock, when another activation has taken the session over.</summary>
    public event Action? Fenced;

    /// <summary>Waits for one append and answers its publisher once: when it is stored, cancelled because the client has it, or refused.</summary>
    private sealed class PendingAppend(DurableSession session, Delivery delivery, PublishReceipt? receipt) : IStoreObserver
    {
        private PublishReceipt? receipt = receipt;

        public AppendToQueue? Append { get; set; }

        /// <summary>The client has acknowledged it: it need not be written any more.</summary>
        public bool TryCancel()
        {
            Interlocked.Exchange(ref receipt, null)?.Answer(ReasonCode.Success);
            return Append!.TryCancel();
        }

        public void Committed(StoreWrite write)
        {
            session.OnStored(delivery);
            Interlocked.Exchange(ref receipt, null)?.Answer(ReasonCode.Success);
        }

        public void Failed(StoreWrite write, StoreException reason)
        {
            session.OnNotStored(delivery, reason);
            Interlocked.Exchange(ref receipt, null)?.Answer(ReasonCode.QuotaExceeded);
        }
    }

    /// <summary>Tells a receipt what became of a write.</summary>
    private sealed class ReceiptAnswer(PublishReceipt receipt) : IStoreObserver
    {
        public void Committed(StoreWrite write) => receipt.Answer(ReasonCode.Success);

        public void Failed(StoreWrite write, StoreException reason) => receipt.Answer(ReasonCode.QuotaExceeded);
    }

    /// <summary>Sends PUBREL when the receipt of PUBREC is stored.</summary>
    private sealed class ReleaseSent(DurableSession session, ushort packetIdentifier) : IStoreObserver
    {
        public void Committed(StoreWrite write)
        {
            lock (session.gate) session.pipe?.Release(packetIdentifier);
        }

        public void Failed(StoreWrite write, StoreException reason)
        {
        }
    }
}
