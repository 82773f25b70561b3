using Broker.Grains.Interfaces.Messages;
using Broker.Grains.Interfaces.Metrics;
using Broker.Grains.Interfaces.Sessions;
using Broker.Grains.Interfaces.Topics;
using Broker.Grains.Storage;

namespace Broker.Grains.Sessions;

/// <summary>One durable session in memory, in step with the store: what <see cref="SessionGrain"/> owns and lets its process use directly.</summary>
/// <remarks>
/// <para>Thread-safe by one lock, held for a change of state and the hand-over to the pipe, never across I/O.</para>
/// <para>QoS 1 is sent at once and stored beside; a publisher hears of it when it is stored or, sooner, acknowledged by the client. QoS 2 is sent
/// when it is stored, PUBREL when the receipt of PUBREC is stored, PUBCOMP when the release is stored: so after a crash both ends agree on what
/// was done, and nothing is delivered twice. Packet identifiers follow from the stored sequence number.</para>
/// </remarks>
internal sealed class DurableSession : ILocalSession
{
    private readonly Lock gate = new();
    private readonly BrokerStore store;
    private readonly SessionJournal journal;
    private readonly TimeProvider time;
    private readonly SessionState state;
    private readonly SessionSubscriptions subscriptions;

    private readonly DeliveryPump pump;
    private bool upgradeQos;
    private bool closed;

    public DurableSession(string clientId, StoredSession stored, SessionLimits limits, BrokerStore store, TimeProvider time)
    {
        ClientId = clientId;
        (this.store, this.time) = (store, time);
        journal = new SessionJournal(store, stored.Lease, this);
        state = new SessionState(limits);
        subscriptions = new SessionSubscriptions(stored.Subscriptions);
        foreach (var entry in stored.Queue)
        {
            var identifiers = entry.SubscriptionIdentifiers.Aggregate(default(SubscriptionIdentifiers), (all, one) => all.With(one));
            var delivery = new Delivery(entry.Message, entry.Qos, entry.Retain, identifiers, null, entry.Sequence);
            state.Restore(delivery, entry.IsReleased ? InflightState.Released : null, NowMs);
            if (entry.Shared is not null) journal.Restore(entry.Sequence, entry.Shared);
        }

        pump = new DeliveryPump(state, journal, state.LastSequence, time);
        foreach (var identifier in stored.Receipts) state.TryReceive(identifier, NowMs);
    }

    public string ClientId { get; }

    /// <summary>The session's subscriptions; changed by its grain only.</summary>
    public SessionSubscriptions Subscriptions => subscriptions;

    /// <summary>The right to write it.</summary>
    public SessionLease Lease => journal.Lease;

    public int QueueLength
    {
        get
        {
            lock (gate) return state.QueueLength;
        }
    }

    public int SubscriptionCount => subscriptions.Count;

    private long NowMs => time.GetUtcNow().ToUnixTimeMilliseconds();

    /// <summary>A connection brings its own bounds.</summary>
    public void Configure(SessionLimits limits, bool upgrade)
    {
        lock (gate)
        {
            state.Limits = limits;
            upgradeQos = upgrade;
        }
    }

    /// <summary>Takes a message for this session.</summary>
    /// <param name="numbers">The subscriptions that matched.</param>
    /// <param name="body">What several sessions store together; null if this is the only one.</param>
    /// <param name="receipt">Is answered when the message is safe.</param>
    /// <returns>False if the session is not here any more; then nothing was taken.</returns>
    public bool TryEnqueue(ApplicationMessage message, ulong[] numbers, SharedBody? body, PublishReceipt? receipt)
    {
        lock (gate)
        {
            if (closed) return false;
            if (subscriptions.TryMakeDelivery(message, numbers, ClientId, upgradeQos, out var delivery)) pump.Take(delivery, body, receipt);
            return true;
        }
    }

    public void DeliverRetained(ApplicationMessage message, in Subscription subscription)
    {
        lock (gate)
        {
            if (closed || !Delivery.TryMake(message, subscription.Options, ClientId, upgradeQos, null, out var delivery)) return;
            pump.Take(delivery with { Retain = true }, null, null);
        }
    }

    public bool IsSubscribed(in TopicFilter filter) => subscriptions.Find(filter.Text) is not null;

    public void Attach(ISessionPipe connection)
    {
        lock (gate)
        {
            if (closed)
            {
                connection.Close(ReasonCode.SessionTakenOver);
                return;
            }

            pump.Attach(connection);
        }
    }

    public void Detach(ISessionPipe connection)
    {
        lock (gate)
        {
            if (ReferenceEquals(pump.Pipe, connection)) pump.Detach();
        }
    }

    public bool Acknowledge(ushort packetIdentifier)
    {
        lock (gate)
        {
            if (!state.Acknowledge(packetIdentifier, out var delivery)) return false;
            journal.Remove(delivery);
            pump.Pump();
            return true;
        }
    }

    public bool Receive(ushort packetIdentifier, ReasonCode code)
    {
        if (code >= ReasonCode.UnspecifiedError) return Complete(packetIdentifier);
        lock (gate)
        {
            if (!state.Receive(packetIdentifier, NowMs, out var delivery)) return false;
            journal.MarkReleased(delivery);
            return true;
        }
    }

    public bool Complete(ushort packetIdentifier)
    {
        lock (gate)
        {
            if (!state.Complete(packetIdentifier, out var delivery)) return false;
            journal.Remove(delivery);
            pump.Pump();
            return true;
        }
    }

    public void Forget(ushort packetIdentifier)
    {
        if (!Acknowledge(packetIdentifier)) Complete(packetIdentifier);
    }

    public void Drain()
    {
        lock (gate) pump.Pump();
    }

    public void Retry(TimeSpan olderThan)
    {
        lock (gate)
        {
            foreach (var identifier in state.ExpireReceipts(NowMs))
            {
                BrokerCounters.Add(Metric.MessagesDroppedAwaitPubrelTimeout);
                journal.RemoveReceipt(identifier, null);
            }

            if (olderThan > TimeSpan.Zero) pump.Retry(olderThan);
        }
    }

    public ReceiveOutcome TryReceive(ushort packetIdentifier, PublishReceipt receipt)
    {
        lock (gate)
        {
            var outcome = state.TryReceive(packetIdentifier, NowMs);
            if (outcome == ReceiveOutcome.Full) return outcome;
            // A repetition is stored once more, which does nothing but wait for what is being written.
            journal.AddReceipt(packetIdentifier, receipt);
            return outcome;
        }
    }

    public bool Release(ushort packetIdentifier, PublishReceipt receipt)
    {
        lock (gate)
        {
            if (!state.Release(packetIdentifier)) return false;
            journal.RemoveReceipt(packetIdentifier, receipt);
            return true;
        }
    }

    public IDisposable BeginAtomicWrites() => store.BeginGroup();

    /// <summary>Ends all direct use; the connection, if there is one, is closed with a code.</summary>
    public void Close(ReasonCode? code)
    {
        lock (gate)
        {
            closed = true;
            if (code is { } why) pump.Pipe?.Close(why);
            pump.Detach();
        }
    }

    /// <summary>What this session, which ends, leaves to other members of its shared subscriptions. [MQTT-4.8.2-5]</summary>
    public List<Delivery> Leftovers()
    {
        lock (gate)
        {
            var left = new List<Delivery>();
            foreach (var inflight in state.InflightInOrder())
            {
                if (inflight.Delivery is { Share: not null, Qos: Qos.AtLeastOnce }) left.Add(inflight.Delivery);
            }

            foreach (var delivery in state.Queued())
            {
                if (delivery.Share is null) continue;
                if (delivery.Message.IsExpired(NowMs)) BrokerCounters.Add(Metric.DeliveryDroppedExpired); // [MQTT-3.3.2-5]
                else left.Add(delivery);
            }

            return left;
        }
    }

    /// <summary>A delivery is stored. Writer thread.</summary>
    public void OnStored(in Delivery delivery)
    {
        lock (gate)
        {
            if (!journal.Settle(delivery) || delivery.Qos != Qos.ExactlyOnce) return;
            pump.SendStored(delivery);
        }
    }

    /// <summary>A delivery could not be stored: its publisher is told and may try again, so what has not been sent yet is taken back.</summary>
    public void OnNotStored(in Delivery delivery, StoreException reason)
    {
        lock (gate)
        {
            journal.Drop(delivery);
            if (StopsIfFenced(reason)) return;
            // The identifier may be another delivery's if this one was still waiting.
            if (state.IsInflight(delivery.PacketIdentifier, delivery.Sequence)) state.Complete(delivery.PacketIdentifier, out _);
            state.Discard(delivery.Sequence);
            pump.Pump();
        }
    }

    /// <summary>That PUBREC has come is stored, or cannot be: the client may let go of the message. Writer thread.</summary>
    public void OnReleaseStored(in Delivery delivery, StoreException? fault)
    {
        lock (gate)
        {
            journal.SettleRelease(delivery);
            if (fault is not null) StopsIfFenced(fault);
            else if (state.IsInflight(delivery.PacketIdentifier, delivery.Sequence)) pump.Pipe?.Release(delivery.PacketIdentifier);
        }
    }

    /// <summary>Stops at once when another activation owns the session now (design, section 3). A group also fails for another session's sake.</summary>
    public bool StopsIfFenced(StoreException reason)
    {
        if (reason is not SessionFencedException fenced || fenced.SessionKey != Lease.Key) return false;
        lock (gate)
        {
            if (closed) return true;
            Close(ReasonCode.SessionTakenOver);
            Fenced?.Invoke();
            return true;
        }
    }

    /// <summary>Raised, under the lock, when another activation has taken the session over.</summary>
    public event Action? Fenced;
}
