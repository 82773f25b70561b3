namespace Broker.Grains.Interfaces.Sessions;

/// <summary>Deliveries waiting for their session: first in, first out within a priority, higher priorities first.</summary>
/// <remarks>After ten times its priority in deliveries a priority lets the next lower one have a turn, so that none starves.
/// Without priorities there is one queue. Not thread-safe: the session's owner calls it.</remarks>
internal sealed class SessionQueue(QueuePriorities? priorities)
{
    private const int TurnsPerPriority = 10;

    /// <summary>Highest priority first; one lane when there are no priorities.</summary>
    private readonly List<Lane> lanes = [];
    private int current;

    public int Count { get; private set; }

    /// <summary>Adds a delivery at the end of its lane.</summary>
    /// <param name="delivery">What is to wait.</param>
    /// <param name="maxLength">How many a lane holds at most; 0 is no limit.</param>
    /// <param name="dropped">The oldest of a full lane, which had to make room.</param>
    /// <returns>True if one was dropped.</returns>
    public bool Enqueue(in Delivery delivery, int maxLength, out Delivery dropped)
    {
        var lane = LaneOf(priorities?.Of(delivery.Message.Topic.Text) ?? 0);
        var full = maxLength > 0 && lane.Items.Count >= maxLength;
        dropped = full ? lane.Items.Dequeue() : default;
        lane.Items.Enqueue(delivery);
        if (!full) Count++;
        return full;
    }

    /// <summary>The delivery whose turn it is, left in place.</summary>
    public bool TryPeek(out Delivery delivery)
    {
        delivery = default;
        return Count > 0 && Turn().Items.TryPeek(out delivery);
    }

    /// <summary>Takes the delivery that <see cref="TryPeek"/> shows.</summary>
    public Delivery Dequeue()
    {
        var lane = Turn();
        lane.TurnsLeft--;
        Count--;
        return lane.Items.Dequeue();
    }

    /// <summary>Takes out the delivery with a sequence number, wherever it stands.</summary>
    public void Discard(long sequence)
    {
        foreach (var lane in lanes)
        {
            for (var left = lane.Items.Count; left > 0; left--)
            {
                var item = lane.Items.Dequeue();
                if (item.Sequence == sequence) Count--;
                else lane.Items.Enqueue(item);
            }
        }
    }

    /// <summary>All that waits, lane by lane.</summary>
    public IEnumerable<Delivery> Enumerate() => lanes.SelectMany(lane => lane.Items);

    /// <summary>Empties the queue.</summary>
    public void Clear()
    {
        lanes.Clear();
        Count = 0;
        current = 0;
    }

    /// <summary>The lane to take from: the highest that has deliveries and turns left; when none has both, all get new turns.</summary>
    private Lane Turn()
    {
        if (lanes.Count == 1) return lanes[0];
        while (true)
        {
            for (current = 0; current < lanes.Count; current++)
            {
                if (lanes[current].Items.Count > 0 && lanes[current].TurnsLeft > 0) return lanes[current];
            }

            foreach (var lane in lanes) lane.TurnsLeft = Math.Max(1, lane.Priority * TurnsPerPriority);
        }
    }

    private Lane LaneOf(byte priority)
    {
        var at = 0;
        while (at < lanes.Count && lanes[at].Priority > priority) at++;
        if (at == lanes.Count || lanes[at].Priority != priority) lanes.Insert(at, new Lane(priority) { TurnsLeft = Math.Max(1, priority * TurnsPerPriority) });
        return lanes[at];
    }

    private sealed class Lane(byte priority)
    {
        public readonly byte Priority = priority;
        public readonly Queue<Delivery> Items = new();
        public int TurnsLeft;
    }
}
