namespace Broker.Gateway.Security;

/// <summary>What the sources of access rules answered lately for one connection.</summary>
/// <remarks>The oldest answer makes room, as in EMQ X. On the connection's event loop only.</remarks>
/// <param name="size">Most answers.</param>
internal sealed class AccessCache(int size)
{
    private readonly Dictionary<(TopicAccess Access, string Topic), Entry> answers = [];
    private readonly Queue<(TopicAccess Access, string Topic)> order = [];

    private readonly record struct Entry(AccessAnswer Answer, int Epoch, long AskedMs);

    /// <summary>Answers held, those that no longer hold among them.</summary>
    public int Count => answers.Count;

    /// <summary>Finds an answer that still holds.</summary>
    public bool TryFind(TopicAccess access, string topic, long nowMs, int epoch, out AccessAnswer answer)
    {
        var found = answers.TryGetValue((access, topic), out var entry) && entry.Epoch == epoch && entry.Answer.UntilMs > nowMs;
        answer = entry.Answer;
        return found;
    }

    /// <summary>Remembers an answer.</summary>
    public void Add(TopicAccess access, string topic, AccessAnswer answer, int epoch, long nowMs)
    {
        var key = (access, topic);
        if (!answers.ContainsKey(key))
        {
            while (answers.Count >= size) answers.Remove(order.Dequeue());
            order.Enqueue(key);
        }

        answers[key] = new Entry(answer, epoch, nowMs);
    }

    /// <summary>The answers that still hold.</summary>
    public IEnumerable<(TopicAccess Access, string Topic, bool IsAllowed, long AskedMs)> List(long nowMs, int epoch) => answers
        .Where(pair => pair.Value.Epoch == epoch && pair.Value.Answer.UntilMs > nowMs)
        .Select(pair => (pair.Key.Access, pair.Key.Topic, pair.Value.Answer.IsAllowed, pair.Value.AskedMs));

    /// <summary>Forgets all.</summary>
    public void Clear()
    {
        answers.Clear();
        order.Clear();
    }
}
