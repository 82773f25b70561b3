namespace Broker.Gateway.Security;

/// <summary>What the sources of access rules answered lately for one connection.</summary>
/// <remarks>The oldest answer makes room, as in EMQ X. On the connection's event loop only.</remarks>
/// <param name="size">Most answers.</param>
/// <param name="lifetime">How long an answer holds.</param>
internal sealed class AccessCache(int size, TimeSpan lifetime)
{
    private readonly Dictionary<(TopicAccess Access, string Topic), Entry> answers = [];
    private readonly Queue<(TopicAccess Access, string Topic)> order = [];
    private readonly long lifetimeMs = (long)lifetime.TotalMilliseconds;

    private readonly record struct Entry(bool IsAllowed, long Until, int Epoch);

    /// <summary>Answers held, those that no longer hold among them.</summary>
    public int Count => answers.Count;

    /// <summary>When an answer that is given now ceases to hold.</summary>
    public long UntilFrom(long nowMs) => nowMs + lifetimeMs;

    /// <summary>Finds an answer that still holds.</summary>
    public bool TryFind(TopicAccess access, string topic, long nowMs, int epoch, out bool isAllowed)
    {
        var found = answers.TryGetValue((access, topic), out var entry) && entry.Epoch == epoch && entry.Until > nowMs;
        isAllowed = found && entry.IsAllowed;
        return found;
    }

    /// <summary>Remembers an answer.</summary>
    public void Add(TopicAccess access, string topic, bool isAllowed, long nowMs, int epoch)
    {
        var key = (access, topic);
        if (!answers.ContainsKey(key))
        {
            while (answers.Count >= size) answers.Remove(order.Dequeue());
            order.Enqueue(key);
        }

        answers[key] = new Entry(isAllowed, UntilFrom(nowMs), epoch);
    }

    /// <summary>The answers that still hold.</summary>
    public IEnumerable<(TopicAccess Access, string Topic, bool IsAllowed)> List(long nowMs, int epoch) =>
        answers.Where(pair => pair.Value.Epoch == epoch && pair.Value.Until > nowMs).Select(pair => (pair.Key.Access, pair.Key.Topic, pair.Value.IsAllowed));

    /// <summary>Forgets all.</summary>
    public void Clear()
    {
        answers.Clear();
        order.Clear();
    }
}
