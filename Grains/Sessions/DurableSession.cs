using Broker.Grains.Interfaces.Messages;
using Broker.Grains.Interfaces.Plugins;
using Broker.Grains.Interfaces.Routing;
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
    private readonly SessionOrigins origins;
    private readonly ShardMap map;
    private bool upgradeQos;
    private bool closed;

    public DurableSession(string clientId, StoredSession stored, SessionLimits limits, BrokerStore store, ShardMap map, IBrokerHooks hooks, TimeProvider time)
    {
        ClientId = clientId;
        (this.store, this.map, this.time) = (store, map, time);
        journal = new SessionJournal(store, stored.Lease, this, map);
        state = new SessionState(limits);
        subscriptions = new SessionSubscriptions(stored.Subscriptions);
        var shares = stored.Subscriptions.ToDictionary(subscription => subscription.Number, subscription => subscription.Filter);
        foreach (var entry in stored.Queue)
        {
            state.Restore(journal.Restore(entry, shares.GetValueOrDefault(entry.ShareNumber)), entry.IsReleased ? InflightState.Released : null, NowMs);
        }

        pump = new DeliveryPump(clientId, state, journal, Math.Min(stored.Header.SentUpTo ?? long.MaxValue, state.LastSequence), hooks, time);
        Owner = new SessionOwner(gate, pump);
        foreach (var receipt in stored.Receipts) state.RestoreReceipt(receipt.PacketIdentifier, receipt.Number, NowMs);
        state.LastReceiptNumber = stored.Lease.Epoch << MessageOrigin.CounterBits;
        Receipts = new SessionReceipts(gate, state, journal, time);
        origins = new SessionOrigins(stored.Origins);
    }

    public string ClientId { get; }

    /// <summary>The session's subscriptions; changed by its grain only.</summary>
    public SessionSubscriptions Subscriptions => subscriptions;

    /// <summary>The right to write it.</summary>
    public SessionLease Lease => journal.Lease;

    /// <summary>The highest sequence number that may have been sent.</summary>
    public long SentUpTo
    {
        get
        {
            lock (gate) return pump.SentUpTo;
        }
    }

    public int QueueLength => Counts.Queued;

    public int SubscriptionCount => subscriptions.Count;

    public SessionCounts Counts
    {
        get
        {
            lock (gate) return state.Count(subscriptions.Count);
        }
    }

    /// <summary>The connection that it is open for.</summary>
    public SessionOwner Owner { get; }

    /// <summary>Its incoming QoS 2 messages.</summary>
    public SessionReceipts Receipts { get; }

    private long NowMs => time.GetUtcNow().ToUnixTimeMilliseconds();

    /// <summary>What holds for the session until a connection brings its own bounds.</summary>
    public void Configure(SessionLimits limits, bool upgrade)
    {
        lock (gate) (state.Limits, upgradeQos) = (limits, upgrade);
    }

    /// <summary>A connection brings its own bounds, and is the only one that may attach from now on (promise 4).</summary>
    public void Open(OpenSessionRequest request)
    {
        lock (gate)
        {
            Configure(request.Limits, request.UpgradeQos);
            Owner.Set(request.Location);
        }
    }

    /// <summary>What a connection in another process must know of the session.</summary>
    public SessionPlace PlaceAt(SiloAddress silo, bool withFilters)
    {
        lock (gate) return new SessionPlace(silo, [.. state.Receipts], withFilters ? [.. subscriptions.All().Select(one => one.Filter)] : null, state.LastReceiptNumber);
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
            if (message is { Qos: Qos.ExactlyOnce, Origin: { } origin } && !origins.TryAdd(origin, map.ShardOf(message.Topic)))
            {
                // Sent once more from node to node. The first may still be on its way into the store.
                if (receipt is not null) journal.AwaitAll(receipt);
                return true;
            }

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

    public bool IsInUse(ushort packetIdentifier)
    {
        lock (gate) return state.IsInUse(packetIdentifier);
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
        Receipts.Expire();
        if (olderThan == TimeSpan.Zero) return;
        lock (gate) pump.Retry(olderThan);
    }

    public ReceiveOutcome TryReceive(ushort packetIdentifier, PublishReceipt receipt, out long number) => Receipts.TryReceive(packetIdentifier, receipt, out number);

    public bool Release(ushort packetIdentifier, PublishReceipt receipt) => Receipts.Release(packetIdentifier, receipt);

    public IDisposable BeginAtomicWrites() => store.BeginGroup();

    /// <summary>Ends all direct use; the connection, if there is one, is closed with a code.</summary>
    public void Close(ReasonCode? code)
    {
        lock (gate)
        {
            closed = true;
            Owner.Clear();
            if (code is { } why) pump.Pipe?.Close(why);
            pump.Detach();
        }
    }

    /// <inheritdoc cref="SessionState.SharedLeftovers"/>
    public List<Delivery> Leftovers()
    {
        lock (gate) return state.SharedLeftovers(NowMs);
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
            if (delivery.Message is { Qos: Qos.ExactlyOnce, Origin: { } origin }) origins.Refuse(origin, map.ShardOf(delivery.Message.Topic));
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
