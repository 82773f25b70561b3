namespace Broker.Gateway.Security.Guard;

/// <summary>Counts what happens to many within a window of time, for as many as there is room.</summary>
/// <remarks>
/// Thread-safe. A window begins with the first event. From the threshold on it begins anew with each event: who has reached it stays above it until a whole window
/// has passed in quiet. Who has had no event for longest makes room.
/// </remarks>
internal sealed class WindowCounts<TKey>(int capacity, TimeSpan window, int threshold, TimeProvider time)
    where TKey : notnull
{
    private readonly Lock gate = new();
    private readonly Dictionary<TKey, LinkedListNode<Entry>> byKey = [];

    /// <summary>By their last event, the longest ago first.</summary>
    private readonly LinkedList<Entry> byAge = [];

    private sealed class Entry
    {
        public required TKey Key { get; init; }

        public int Count { get; set; }

        public long Began { get; set; }

        public long Last { get; set; }
    }

    /// <summary>How many it remembers.</summary>
    public int Count
    {
        get
        {
            lock (gate) return byKey.Count;
        }
    }

    /// <summary>One more event.</summary>
    /// <returns>How many there are in the window, this one included.</returns>
    public int Add(TKey key)
    {
        lock (gate)
        {
            var now = time.GetTimestamp();
            DropQuiet(now);
            if (byKey.TryGetValue(key, out var node)) byAge.Remove(node);
            else node = Make(key, now);
            byAge.AddLast(node);
            var entry = node.Value;
            if (time.GetElapsedTime(entry.Began, now) >= window) (entry.Began, entry.Count) = (now, 0);
            entry.Last = now;
            if (++entry.Count >= threshold) entry.Began = now;
            return entry.Count;
        }
    }

    /// <summary>How many there are in the window.</summary>
    public int Read(TKey key)
    {
        lock (gate) return byKey.TryGetValue(key, out var node) && time.GetElapsedTime(node.Value.Began) < window ? node.Value.Count : 0;
    }

    /// <summary>Forgets one.</summary>
    public void Remove(TKey key)
    {
        lock (gate)
        {
            if (byKey.Remove(key, out var node)) byAge.Remove(node);
        }
    }

    private LinkedListNode<Entry> Make(TKey key, long now)
    {
        if (byKey.Count >= capacity) DropOldest();
        return byKey[key] = new LinkedListNode<Entry>(new Entry { Key = key, Began = now });
    }

    /// <summary>Two at a time: more than come, so that the table gets smaller, and no turn takes long.</summary>
    private void DropQuiet(long now)
    {
        for (var i = 0; i < 2 && byAge.First is { } first && time.GetElapsedTime(first.Value.Last, now) >= window; i++) DropOldest();
    }

    private void DropOldest()
    {
        byKey.Remove(byAge.First!.Value.Key);
        byAge.RemoveFirst();
    }
}
