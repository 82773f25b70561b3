using Broker.Grains.Interfaces.Messages;
using Broker.Grains.Interfaces.Metrics;

namespace Broker.Grains.Interfaces.Sessions;

/// <summary>What became of a delivery that could not leave at once.</summary>
public enum EnqueueOutcome : byte
{
    /// <summary>It waits.</summary>
    Queued,

    /// <summary>It waits, and the oldest of a full queue was dropped for it.</summary>
    QueuedDroppingOldest,

    /// <summary>It is QoS 0 and this session does not queue those.</summary>
    RefusedQos0,
}

/// <summary>What <see cref="SessionState.TryTake"/> found.</summary>
public enum TakeOutcome : byte
{
    /// <summary>Nothing can leave now.</summary>
    Nothing,

    /// <summary>A delivery to be sent; QoS 1 and 2 are now in flight.</summary>
    Send,

    /// <summary>A delivery whose message expired while it waited: it is gone.</summary>
    Expired,
}

/// <summary>Whether an incoming QoS 2 message is to be routed.</summary>
public enum ReceiveOutcome : byte
{
    /// <summary>First time: route it.</summary>
    New,

    /// <summary>Its identifier is already reserved: acknowledge, do not route. [MQTT-4.3.3-10]</summary>
    Repeated,

    /// <summary>Too many are unreleased. [MQTT-3.3.4-7]</summary>
    Full,
}

/// <summary>The state of one session without I/O, clock or threads: queue, inflight window, packet identifiers, QoS 2 receipts.</summary>
/// <remarks>Transient and durable sessions drive the same type. Not thread-safe: its owner (an event loop, or a durable session's lock) calls it.
/// All times are Unix milliseconds.</remarks>
public sealed class SessionState
{
    private SessionLimits limits;
    private SessionQueue? queue;
    private InflightWindow? window;
    private Dictionary<ushort, (long At, long Number)>? receipts;
    private long lastSequence;
    private long droppedCount;

    /// <summary>An empty session.</summary>
    public SessionState(SessionLimits limits) => this.limits = limits;

    /// <summary>The session's bounds; another connection may bring others, which hold for what comes then.</summary>
    public SessionLimits Limits
    {
        get => limits;
        set => limits = value;
    }

    /// <summary>How many deliveries wait.</summary>
    public int QueueLength => queue?.Count ?? 0;

    /// <summary>How many deliveries are in flight.</summary>
    public int InflightCount => window?.Count ?? 0;

    /// <summary>How many incoming QoS 2 identifiers are reserved.</summary>
    public int ReceiptCount => receipts?.Count ?? 0;

    /// <summary>What it holds now. Another thread than the owner's may read it: then the numbers are those of about now.</summary>
    public SessionCounts Count(int subscriptions) => new(QueueLength, droppedCount, InflightCount, ReceiptCount, subscriptions, limits);

    /// <summary>The highest sequence number given so far.</summary>
    public long LastSequence => lastSequence;

    /// <summary>True if a QoS 1 or 2 delivery may be sent at once, past an empty queue.</summary>
    public bool CanSendAtOnce => QueueLength == 0 && InflightCount < limits.MaxInflight && !IsInUse(NextIdentifier);

    private ushort NextIdentifier => (ushort)(lastSequence % ushort.MaxValue + 1);

    /// <summary>Gives a delivery its place in the session's order, and with it its packet identifier.</summary>
    public Delivery Number(in Delivery delivery) => delivery with { Sequence = ++lastSequence };

    /// <summary>Puts a numbered QoS 1 or 2 delivery in flight. The caller checked <see cref="CanSendAtOnce"/> before numbering it.</summary>
    public void Begin(in Delivery delivery, long nowMs) => (window ??= new InflightWindow()).Add(delivery, InflightState.Sent, nowMs);

    /// <summary>Lets a delivery wait.</summary>
    /// <param name="dropped">The delivery dropped to make room, when the outcome says so.</param>
    public EnqueueOutcome Enqueue(in Delivery delivery, out Delivery dropped)
    {
        dropped = default;
        if (delivery.Qos == Qos.AtMostOnce && !limits.QueueQos0) return EnqueueOutcome.RefusedQos0;
        queue ??= new SessionQueue(limits.Priorities);
        if (!queue.Enqueue(delivery, limits.MaxQueueLength, out dropped)) return EnqueueOutcome.Queued;
        droppedCount++;
        return EnqueueOutcome.QueuedDroppingOldest;
    }

    /// <summary>Takes the next delivery that may leave.</summary>
    /// <param name="nowMs">Now.</param>
    /// <param name="delivery">The delivery; unnumbered ones of QoS 1 and 2 get their number here.</param>
    /// <remarks>The queue's head waits for the window, and all behind it with it: order is kept over all QoS.</remarks>
    public TakeOutcome TryTake(long nowMs, out Delivery delivery)
    {
        delivery = default;
        if (queue is null || !queue.TryPeek(out var head)) return TakeOutcome.Nothing;
        if (head.Message.IsExpired(nowMs))
        {
            delivery = queue.Dequeue();
            return TakeOutcome.Expired;
        }

        if (head.Qos == Qos.AtMostOnce)
        {
            delivery = queue.Dequeue();
            return TakeOutcome.Send;
        }

        var identifier = head.Sequence == 0 ? NextIdentifier : head.PacketIdentifier;
        if (InflightCount >= limits.MaxInflight || IsInUse(identifier)) return TakeOutcome.Nothing;
        queue.Dequeue();
        delivery = head.Sequence == 0 ? Number(head) : head;
        Begin(delivery, nowMs);
        return TakeOutcome.Send;
    }

    /// <summary>PUBACK: a QoS 1 delivery is complete.</summary>
    /// <returns>False if no QoS 1 delivery has that identifier.</returns>
    public bool Acknowledge(ushort packetIdentifier, out Delivery delivery)
    {
        delivery = default;
        return window is not null && window.TryGet(packetIdentifier, out var inflight) && inflight.Delivery.Qos == Qos.AtLeastOnce
            && window.Remove(packetIdentifier, out delivery);
    }

    /// <summary>PUBREC with success: a QoS 2 delivery awaits PUBCOMP from now on, and PUBREL is to be sent. A repeated PUBREC is answered again.</summary>
    /// <returns>False if no QoS 2 delivery has that identifier.</returns>
    public bool Receive(ushort packetIdentifier, long nowMs, out Delivery delivery)
    {
        delivery = default;
        if (window is null || !window.TryGet(packetIdentifier, out var inflight) || inflight.Delivery.Qos != Qos.ExactlyOnce) return false;
        delivery = inflight.Delivery;
        if (inflight.State == InflightState.Released) BrokerCounters.Add(Metric.PacketsPubrecInuse);
        window.Set(packetIdentifier, InflightState.Released, nowMs);
        return true;
    }

    /// <summary>PUBCOMP, or PUBREC with an error: a QoS 2 delivery is complete. [MQTT-4.3.3-5], [MQTT-4.4.0-2]</summary>
    /// <returns>False if no QoS 2 delivery has that identifier.</returns>
    public bool Complete(ushort packetIdentifier, out Delivery delivery)
    {
        delivery = default;
        return window is not null && window.TryGet(packetIdentifier, out var inflight) && inflight.Delivery.Qos == Qos.ExactlyOnce
            && window.Remove(packetIdentifier, out delivery);
    }

    /// <summary>Whether the delivery with that place is in flight.</summary>
    public bool IsInflight(ushort packetIdentifier, long sequence) =>
        window is not null && window.TryGet(packetIdentifier, out var inflight) && inflight.Delivery.Sequence == sequence;

    /// <summary>What a delivery in flight waits for; false if it is not in flight.</summary>
    public bool TryGetInflight(in Delivery delivery, out InflightState known)
    {
        known = default;
        if (window is null || !window.TryGet(delivery.PacketIdentifier, out var inflight) || inflight.Delivery.Sequence != delivery.Sequence) return false;
        known = inflight.State;
        return true;
    }

    /// <summary>Whether a delivery with that packet identifier is in flight.</summary>
    public bool IsInUse(ushort packetIdentifier) => window is not null && window.Contains(packetIdentifier);

    /// <summary>Takes a waiting delivery out of the queue. Slow: for what the store refused.</summary>
    public void Discard(long sequence) => queue?.Discard(sequence);

    /// <summary>All in flight, in the order of sending, for resending them. [MQTT-4.4.0-1], [MQTT-4.6.0-1]</summary>
    public Inflight[] InflightInOrder() => window?.InOrder() ?? [];

    /// <summary>Marks one as sent again.</summary>
    public void Resent(in Inflight inflight, long nowMs) => window!.Set(inflight.Delivery.PacketIdentifier, inflight.State, nowMs);

    /// <summary>All that waits.</summary>
    public IEnumerable<Delivery> Queued() => queue?.Enumerate() ?? [];

    /// <summary>What a session that ends leaves to other members of its shared subscriptions: not QoS 2 that its client may have, nor what has expired. [MQTT-4.8.2-5]</summary>
    public List<Delivery> SharedLeftovers(long nowMs)
    {
        var left = new List<Delivery>();
        foreach (var inflight in InflightInOrder())
        {
            if (inflight.Delivery is { Share: not null, Qos: Qos.AtLeastOnce }) left.Add(inflight.Delivery);
        }

        foreach (var delivery in Queued())
        {
            if (delivery.Share is null) continue;
            if (delivery.Message.IsExpired(nowMs)) BrokerCounters.Add(Metric.DeliveryDroppedExpired); // [MQTT-3.3.2-5]
            else left.Add(delivery);
        }

        return left;
    }

    /// <summary>Puts back what a store remembers of a delivery: in the queue, or, if it was released, in flight.</summary>
    public void Restore(in Delivery delivery, InflightState? state, long nowMs)
    {
        lastSequence = Math.Max(lastSequence, delivery.Sequence);
        if (state is { } known) (window ??= new InflightWindow()).Add(delivery, known, nowMs);
        else (queue ??= new SessionQueue(limits.Priorities)).Enqueue(delivery, maxLength: 0, out _);
    }

    /// <summary>An incoming QoS 2 PUBLISH: reserves its identifier until <see cref="Release"/>.</summary>
    public ReceiveOutcome TryReceive(ushort packetIdentifier, long nowMs) => TryReceive(packetIdentifier, nowMs, out _);

    /// <summary>The same, and numbers the message.</summary>
    /// <param name="number">Its number: a new one, or the one it had before.</param>
    public ReceiveOutcome TryReceive(ushort packetIdentifier, long nowMs, out long number)
    {
        receipts ??= [];
        number = 0;
        if (receipts.TryGetValue(packetIdentifier, out var known))
        {
            number = known.Number;
            return ReceiveOutcome.Repeated;
        }

        if (limits.MaxAwaitingRelease > 0 && receipts.Count >= limits.MaxAwaitingRelease) return ReceiveOutcome.Full;
        receipts.Add(packetIdentifier, (nowMs, number = ++LastReceiptNumber));
        return ReceiveOutcome.New;
    }

    /// <summary>Puts back an identifier that a store remembers.</summary>
    public void RestoreReceipt(ushort packetIdentifier, long number, long nowMs) => (receipts ??= [])[packetIdentifier] = (nowMs, number);

    /// <summary>Whether an identifier is reserved for the message with this number.</summary>
    public bool IsReceived(ushort packetIdentifier, long number) => receipts is not null && receipts.TryGetValue(packetIdentifier, out var receipt) && receipt.Number == number;

    /// <summary>Reserves an identifier whose message was numbered by a connection elsewhere; it may be reserved already.</summary>
    public void Reserve(ushort packetIdentifier, long number, long nowMs)
    {
        (receipts ??= []).TryAdd(packetIdentifier, (nowMs, number));
        LastReceiptNumber = Math.Max(LastReceiptNumber, number);
    }

    /// <summary>The number of the last incoming QoS 2 message; the next one gets the next.</summary>
    public long LastReceiptNumber { get; set; }

    /// <summary>PUBREL, or the message was refused: frees the identifier.</summary>
    /// <returns>False if it was not reserved.</returns>
    public bool Release(ushort packetIdentifier) => receipts?.Remove(packetIdentifier) ?? false;

    /// <summary>Frees the identifiers whose PUBREL did not come in time.</summary>
    /// <returns>Those freed.</returns>
    public IReadOnlyList<ushort> ExpireReceipts(long nowMs)
    {
        if (receipts is null || receipts.Count == 0) return [];
        var late = receipts.Where(receipt => nowMs - receipt.Value.At >= limits.AwaitReleaseTimeoutMs).Select(receipt => receipt.Key).ToArray();
        foreach (var identifier in late) receipts.Remove(identifier);
        return late;
    }

    /// <summary>The reserved incoming QoS 2 identifiers.</summary>
    public IEnumerable<ReservedIdentifier> Receipts => receipts?.Select(receipt => new ReservedIdentifier(receipt.Key, receipt.Value.Number)) ?? [];
}
