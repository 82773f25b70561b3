using Broker.Grains.Interfaces.Messages;
using Broker.Grains.Interfaces.Metrics;
using Broker.Grains.Interfaces.Sessions;

namespace Broker.Grains.Sessions;

/// <summary>The incoming QoS 2 identifiers of a durable session, in step with the store.</summary>
/// <param name="gate">The session's lock.</param>
internal sealed class SessionReceipts(Lock gate, SessionState state, SessionJournal journal, TimeProvider time)
{
    private long NowMs => time.GetUtcNow().ToUnixTimeMilliseconds();

    /// <inheritdoc cref="ILocalSession.TryReceive"/>
    public ReceiveOutcome TryReceive(ushort packetIdentifier, PublishReceipt receipt, out long number)
    {
        lock (gate)
        {
            var outcome = state.TryReceive(packetIdentifier, NowMs, out number);
            if (outcome == ReceiveOutcome.Full) return outcome;
            // A repetition is stored once more, which does nothing but wait for what is being written.
            journal.AddReceipt(packetIdentifier, number, receipt);
            return outcome;
        }
    }

    /// <summary>The same for a connection in another process, which has decided and numbered it.</summary>
    public void Reserve(ushort packetIdentifier, long number, PublishReceipt receipt)
    {
        lock (gate)
        {
            state.Reserve(packetIdentifier, number, NowMs);
            journal.AddReceipt(packetIdentifier, number, receipt);
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
}
