namespace Broker.Grains.Interfaces.Sessions;

/// <summary>What a sent QoS 1 or 2 delivery waits for.</summary>
public enum InflightState : byte
{
    /// <summary>PUBLISH sent, PUBACK (QoS 1) or PUBREC (QoS 2) awaited.</summary>
    Sent,

    /// <summary>PUBREC received and PUBREL sent, PUBCOMP awaited.</summary>
    Released,
}

/// <summary>One delivery in flight.</summary>
/// <param name="Delivery">What was sent.</param>
/// <param name="State">What is awaited.</param>
/// <param name="Order">Its place in the order of sending.</param>
/// <param name="SentAtMs">When it was last sent, in Unix milliseconds.</param>
public readonly record struct Inflight(Delivery Delivery, InflightState State, long Order, long SentAtMs);

/// <summary>Sent and not yet completed QoS 1 and 2 deliveries, by packet identifier.</summary>
/// <remarks>An open hash table on the low bits of the identifier: identifiers in use are nearly consecutive, so nearly every look-up hits at once.
/// Not thread-safe: the session's owner calls it.</remarks>
internal sealed class InflightWindow
{
    private Inflight[] slots = [];
    private bool[] used = [];
    private long nextOrder;

    public int Count { get; private set; }

    public bool Contains(ushort packetIdentifier) => Find(packetIdentifier) >= 0;

    /// <summary>Adds a delivery whose packet identifier is not in use.</summary>
    public void Add(in Delivery delivery, InflightState state, long nowMs)
    {
        if (Count * 2 >= slots.Length) Grow();
        Place(new Inflight(delivery, state, nextOrder++, nowMs));
    }

    public bool TryGet(ushort packetIdentifier, out Inflight inflight)
    {
        var at = Find(packetIdentifier);
        inflight = at >= 0 ? slots[at] : default;
        return at >= 0;
    }

    /// <summary>Changes the state of one that is in flight.</summary>
    public void Set(ushort packetIdentifier, InflightState state, long nowMs)
    {
        var at = Find(packetIdentifier);
        slots[at] = slots[at] with { State = state, SentAtMs = nowMs };
    }

    public bool Remove(ushort packetIdentifier, out Delivery delivery)
    {
        delivery = default;
        var at = Find(packetIdentifier);
        if (at < 0) return false;
        delivery = slots[at].Delivery;
        Count--;
        CloseGap(at);
        return true;
    }

    /// <summary>All in the order in which they were sent. [MQTT-4.6.0-1]</summary>
    public Inflight[] InOrder()
    {
        var all = new Inflight[Count];
        var n = 0;
        for (var at = 0; at < slots.Length; at++)
        {
            if (used[at]) all[n++] = slots[at];
        }

        Array.Sort(all, static (a, b) => a.Order.CompareTo(b.Order));
        return all;
    }

    public void Clear()
    {
        slots = [];
        used = [];
        Count = 0;
    }

    private int Find(ushort packetIdentifier)
    {
        if (Count == 0) return -1;
        var mask = slots.Length - 1;
        for (var at = packetIdentifier & mask; used[at]; at = (at + 1) & mask)
        {
            if (slots[at].Delivery.PacketIdentifier == packetIdentifier) return at;
        }

        return -1;
    }

    private void Place(in Inflight inflight)
    {
        var mask = slots.Length - 1;
        var at = inflight.Delivery.PacketIdentifier & mask;
        while (used[at]) at = (at + 1) & mask;
        slots[at] = inflight;
        used[at] = true;
        Count++;
    }

    private void Grow()
    {
        var (oldSlots, oldUsed) = (slots, used);
        slots = new Inflight[Math.Max(8, oldSlots.Length * 2)];
        used = new bool[slots.Length];
        Count = 0;
        for (var at = 0; at < oldSlots.Length; at++)
        {
            if (oldUsed[at]) Place(oldSlots[at]);
        }
    }

    /// <summary>Moves later members of the same run back, so that no look-up stops short at the hole.</summary>
    private void CloseGap(int hole)
    {
        var mask = slots.Length - 1;
        for (var at = (hole + 1) & mask; used[at]; at = (at + 1) & mask)
        {
            var home = slots[at].Delivery.PacketIdentifier & mask;
            if (((at - home) & mask) < ((at - hole) & mask)) continue;
            slots[hole] = slots[at];
            hole = at;
        }

        slots[hole] = default;
        used[hole] = false;
    }
}
