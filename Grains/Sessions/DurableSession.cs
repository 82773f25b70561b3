using Broker.Grains.Interfaces.Messages;
using Broker.Grains.Interfaces.Metrics;
using Broker.Grains.Interfaces.Sessions;
using Broker.Grains.Interfaces.Topics;
using Broker.Grains.Storage;
using Broker.Grains.Storage.Writes;

namespace Broker.Grains.Sessions;

/// <summary>One durable session in memory, in step with the store: what <see cref="SessionGrain"/> owns and lets its process use directly.</summary>
/// <remarks>
/// <para>Thread-safe by one lock, held for a change of state and the hand-over to the pipe, never across I/O.</para>
/// <para>QoS 1 is sent at once and stored beside; a publisher hears of it when it is stored or, sooner, acknowledged by the client. QoS 2 is sent
/// when it is stored, PUBREL when the receipt of PUBREC is stored, PUBCOMP when the release is stored: so after a crash both ends agree on what
/// was done, and nothing is delivered twice. Packet identifiers follow from the stored sequence number.</para>
/// </remarks>
internal sealed partial class DurableSession : ILocalSession
{
    private readonly Lock gate = new();
    private readonly BrokerStore store;
    private readonly SessionLease lease;
    private readonly TimeProvider time;
    private readonly SessionState state;
    private readonly SessionSubscriptions subscriptions;

    /// <summary>Deliveries whose append has not been reported yet, by sequence.</summary>
    private readonly Dictionary<long, PendingAppend> pending = [];

    /// <summary>Shared bodies of deliveries that are in the store, by sequence; most deliveries have none.</summary>
    private readonly Dictionary<long, SharedBody> bodies = [];

    /// <summary>What was in flight at the connection before and is to be sent again when the window of this one, which may be smaller, has room.</summary>
    private readonly Queue<Delivery> repeats = new();
    private ISessionPipe? pipe;
    private bool upgradeQos;
    private bool closed;

    public DurableSession(string clientId, StoredSession stored, SessionLimits limits, BrokerStore store, TimeProvider time)
    {
        ClientId = clientId;
        (this.store, this.time, lease) = (store, time, stored.Lease);
        state = new SessionState(limits);
        subscriptions = new SessionSubscriptions(stored.Subscriptions);
        foreach (var entry in stored.Queue)
        {
            var identifiers = entry.SubscriptionIdentifiers.Aggregate(default(SubscriptionIdentifiers), (all, one) => all.With(one));
            var delivery = new Delivery(entry.Message, entry.Qos, entry.Retain, identifiers, null, entry.Sequence);
            state.Restore(delivery, entry.IsReleased ? InflightState.Released : null, NowMs);
            if (entry.Shared is not null) bodies[entry.Sequence] = entry.Shared;
        }

        // What was stored may have been sent before the process ended. [MQTT-3.3.1-1]
        restoredUpTo = state.LastSequence;
        foreach (var identifier in stored.Receipts) state.TryReceive(identifier, NowMs);
    }

    private readonly long restoredUpTo;

    public string ClientId { get; }

    /// <summary>The session's subscriptions; changed by its grain only.</summary>
    public SessionSubscriptions Subscriptions => subscriptions;

    /// <summary>The right to write it.</summary>
    public SessionLease Lease => lease;

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
            if (subscriptions.TryMakeDelivery(message, numbers, ClientId, upgradeQos, out var delivery)) Take(delivery, body, receipt);
            return true;
        }
    }

    public void DeliverRetained(ApplicationMessage message, in Subscription subscription)
    {
        lock (gate)
        {
            if (closed || !SessionSubscriptions.TryMakeDelivery(message, subscription.Options, ClientId, upgradeQos, null, out var delivery)) return;
            Take(delivery with { Retain = true }, null, null);
        }
    }

    public bool IsSubscribed(in TopicFilter filter) => subscriptions.Find(filter.Text) is not null;

    public void Attach(ISessionPipe connection)
    {
        lock (gate)
        {
            pipe = connection;
            repeats.Clear();
            foreach (var inflight in state.InflightInOrder())
            {
                state.Resent(inflight, NowMs);
                if (repeats.Count > 0 || inflight.State != InflightState.Released) repeats.Enqueue(inflight.Delivery);
                else connection.Release(inflight.Delivery.PacketIdentifier);
            }

            Pump();
        }
    }

    public void Detach(ISessionPipe connection)
    {
        lock (gate)
        {
            if (ReferenceEquals(pipe, connection)) pipe = null;
        }
    }

    public bool Acknowledge(ushort packetIdentifier)
    {
        lock (gate)
        {
            if (!state.Acknowledge(packetIdentifier, out var delivery)) return false;
            Remove(delivery);
            Pump();
            return true;
        }
    }

    public bool Receive(ushort packetIdentifier, ReasonCode code)
    {
        if (code >= ReasonCode.UnspecifiedError) return Complete(packetIdentifier);
        lock (gate)
        {
            if (!state.Receive(packetIdentifier, NowMs, out var delivery)) return false;
            store.Submit(new MarkReleased(lease, delivery.Sequence) { Observer = new ReleaseSent(this, packetIdentifier) });
            return true;
        }
    }

    public bool Complete(ushort packetIdentifier)
    {
        lock (gate)
        {
            if (!state.Complete(packetIdentifier, out var delivery)) return false;
            Remove(delivery);
            Pump();
            return true;
        }
    }

    public void Forget(ushort packetIdentifier)
    {
        if (!Acknowledge(packetIdentifier)) Complete(packetIdentifier);
    }

    public void Drain()
    {
        lock (gate) Pump();
    }

    public void Retry(TimeSpan olderThan)
    {
        lock (gate)
        {
            foreach (var identifier in state.ExpireReceipts(NowMs))
            {
                BrokerCounters.Add(Metric.MessagesDroppedAwaitPubrelTimeout);
                store.Submit(new RemoveReceipt(lease, identifier));
            }

            if (pipe is null || olderThan <= TimeSpan.Zero || repeats.Count > 0) return;
            foreach (var inflight in state.InflightInOrder())
            {
                if (NowMs - inflight.SentAtMs < olderThan.TotalMilliseconds || AwaitsStore(inflight.Delivery)) continue;
                state.Resent(inflight, NowMs);
                if (inflight.State == InflightState.Released) pipe.Release(inflight.Delivery.PacketIdentifier);
                else pipe.Publish(inflight.Delivery, dup: true);
            }
        }
    }

    public ReceiveOutcome TryReceive(ushort packetIdentifier, PublishReceipt receipt)
    {
        lock (gate)
        {
            var outcome = state.TryReceive(packetIdentifier, NowMs);
            if (outcome == ReceiveOutcome.Full) return outcome;
            // A repetition is stored once more, which does nothing but wait for what is being written.
            receipt.Expect();
            store.Submit(new AddReceipt(lease, packetIdentifier) { Observer = new ReceiptAnswer(receipt) });
            return outcome;
        }
    }

    public bool Release(ushort packetIdentifier, PublishReceipt receipt)
    {
        lock (gate)
        {
            if (!state.Release(packetIdentifier)) return false;
            receipt.Expect();
            store.Submit(new RemoveReceipt(lease, packetIdentifier) { Observer = new ReceiptAnswer(receipt) });
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
            if (code is { } why) pipe?.Close(why);
            pipe = null;
        }
    }

    /// <summary>What waits for a shared subscription's other members when this session ends.</summary>
    public Delivery[] Leftovers()
    {
        lock (gate)
        {
            return
            [
                .. state.InflightInOrder().Select(inflight => inflight.Delivery).Where(delivery => delivery is { Share: not null, Qos: Qos.AtLeastOnce }),
                .. state.Queued().Where(delivery => delivery.Share is not null),
            ];
        }
    }

    /// <summary>Sends a delivery or lets it wait, and stores it beside.</summary>
    private void Take(in Delivery unnumbered, SharedBody? body, PublishReceipt? receipt)
    {
        var isFree = repeats.Count == 0 && pipe is { IsWritable: true };
        if (unnumbered.Qos == Qos.AtMostOnce && isFree && state.QueueLength == 0)
        {
            pipe!.Publish(unnumbered, dup: false);
            return;
        }

        if (unnumbered.Qos == Qos.AtMostOnce && !state.Limits.QueueQos0)
        {
            BrokerCounters.Add(Metric.DeliveryDroppedQos0Msg);
            return;
        }

        var atOnce = unnumbered.Qos != Qos.AtMostOnce && pipe is not null && repeats.Count == 0 && state.CanSendAtOnce;
        var delivery = state.Number(unnumbered);
        if (atOnce)
        {
            state.Begin(delivery, NowMs);
        }
        else if (state.Enqueue(delivery, out var dropped) == EnqueueOutcome.QueuedDroppingOldest)
        {
            BrokerCounters.Add(Metric.DeliveryDroppedQueueFull);
            Remove(dropped);
        }

        Store(delivery, body, receipt);
        if (atOnce && delivery.Qos == Qos.AtLeastOnce) pipe?.Publish(delivery, dup: false);
    }

    /// <summary>Sends what may leave now.</summary>
    private void Pump()
    {
        if (repeats.Count > 0) Repeat();
        if (repeats.Count > 0) return;
        while (pipe is { IsWritable: true })
        {
            switch (state.TryTake(NowMs, out var delivery))
            {
                case TakeOutcome.Send:
                    if (!AwaitsStore(delivery)) pipe.Publish(delivery, dup: delivery.Qos != Qos.AtMostOnce && delivery.Sequence <= restoredUpTo);
                    if (delivery.Qos == Qos.AtMostOnce) Remove(delivery);
                    break;
                case TakeOutcome.Expired:
                    BrokerCounters.Add(Metric.DeliveryDroppedExpired);
                    Remove(delivery);
                    break;
                default:
                    return;
            }
        }
    }

    /// <summary>Sends again, in the original order, what was in flight, as far as window and socket take it. [MQTT-4.4.0-1], [MQTT-3.3.4-9]</summary>
    private void Repeat()
    {
        while (pipe is { IsWritable: true } && repeats.TryPeek(out var delivery) && state.InflightCount - repeats.Count < state.Limits.MaxInflight)
        {
            repeats.Dequeue();
            if (!state.TryGetInflight(delivery, out var known)) continue;
            if (known == InflightState.Released) pipe.Release(delivery.PacketIdentifier);
            else if (!AwaitsStore(delivery)) pipe.Publish(delivery, dup: true);
        }
    }

    /// <summary>QoS 2 is not sent before it is stored: sent, lost with the process and published again it would arrive twice.</summary>
    private bool AwaitsStore(in Delivery delivery) => delivery.Qos == Qos.ExactlyOnce && pending.ContainsKey(delivery.Sequence);
}
