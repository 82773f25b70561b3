using Broker.Grains.Interfaces.Messages;
using Broker.Grains.Interfaces.Metrics;
using Broker.Grains.Interfaces.Sessions;
using Broker.Grains.Storage;
using Broker.Grains.Storage.Writes;

namespace Broker.Grains.Sessions;

/// <summary>The incoming QoS 2 identifiers of a durable session, in step with the store.</summary>
/// <param name="gate">The session's lock.</param>
internal sealed class SessionReceipts(Lock gate, SessionState state, SessionJournal journal, TimeProvider time)
{
    private readonly Lock gate = gate;
    private readonly SessionState state = state;
    private readonly SessionJournal journal = journal;

    private long NowMs => time.GetUtcNow().ToUnixTimeMilliseconds();

    /// <inheritdoc cref="ILocalSession.TryReceive"/>
    public ReceiveOutcome TryReceive(ushort packetIdentifier, PublishReceipt receipt, out long number)
    {
        lock (gate)
        {
            var outcome = state.TryReceive(packetIdentifier, NowMs, out number);
            // A repetition is stored once more, which does nothing but wait for what is being written.
            if (outcome != ReceiveOutcome.Full) Store(packetIdentifier, number, outcome == ReceiveOutcome.New, receipt);
            return outcome;
        }
    }

    /// <summary>The same for a connection in another process, which has decided and numbered it.</summary>
    public void Reserve(ushort packetIdentifier, long number, PublishReceipt receipt)
    {
        lock (gate)
        {
            state.Reserve(packetIdentifier, number, NowMs);
            Store(packetIdentifier, number, isNew: false, receipt);
        }
    }

    /// <inheritdoc cref="ILocalSession.Release"/>
    public bool Release(ushort packetIdentifier, PublishReceipt receipt)
    {
        lock (gate)
        {
            if (!state.Release(packetIdentifier)) return false;
            journal.RemoveReceipt(packetIdentifier, receipt);
            return true;
        }
    }

    /// <summary>Frees those whose PUBREL did not come in time.</summary>
    public void Expire()
    {
        lock (gate)
        {
            foreach (var identifier in state.ExpireReceipts(NowMs))
            {
                BrokerCounters.Add(Metric.MessagesDroppedAwaitPubrelTimeout);
                journal.RemoveReceipt(identifier, null);
            }
        }
    }

    private void Store(ushort packetIdentifier, long number, bool isNew, PublishReceipt receipt)
    {
        receipt.Expect();
        journal.AddReceipt(packetIdentifier, number, new Storing(this, packetIdentifier, number, isNew, receipt));
    }

    /// <summary>Answers when an identifier is stored or refused.</summary>
    private sealed class Storing(SessionReceipts receipts, ushort packetIdentifier, long number, bool isNew, PublishReceipt receipt) : IStoreObserver
    {
        public void Committed(StoreWrite write)
        {
            bool known;
            lock (receipts.gate) known = receipts.state.IsReceived(packetIdentifier, number);
            // A repetition, and the message itself was refused meanwhile.
            if (!known) receipts.journal.RemoveReceipt(packetIdentifier, null);
            receipt.Answer(known ? ReasonCode.Success : ReasonCode.QuotaExceeded);
        }

        public void Failed(StoreWrite write, StoreException reason)
        {
            receipts.journal.StopsIfFenced(reason);
            if (isNew)
            {
                // Nor are the message's places in queues stored: what comes again under this identifier is new.
                lock (receipts.gate) receipts.state.Release(packetIdentifier);
            }

            receipt.Answer(ReasonCode.QuotaExceeded);
        }
    }
}
