namespace Broker.Gateway.Security.Sources;

/// <summary>Answers of a source that are remembered for a while, the oldest making room. Who asks for what is being asked waits for that answer. Thread-safe.</summary>
/// <param name="size">Most answers.</param>
/// <param name="lifetime">How long an answer holds; 0 remembers none.</param>
internal sealed class SourceCache<T>(int size, TimeSpan lifetime, TimeProvider time)
{
    private readonly Lock gate = new();
    private readonly Dictionary<string, Entry> entries = new(StringComparer.Ordinal);
    private readonly Queue<Entry> byAge = [];

    private sealed record Entry(string Key, long AskedAt)
    {
        public required Task<T> Answer { get; init; }
    }

    public int Count
    {
        get
        {
            lock (gate) return entries.Count;
        }
    }

    /// <summary>The answer that is remembered, or a new one.</summary>
    public Task<T> GetAsync(string key, Func<Task<T>> ask)
    {
        if (lifetime == TimeSpan.Zero) return ask();
        lock (gate)
        {
            if (entries.TryGetValue(key, out var known) && !known.Answer.IsFaulted && time.GetElapsedTime(known.AskedAt) < lifetime) return known.Answer;
            while (byAge.Count >= size && byAge.TryDequeue(out var oldest)) Remove(oldest);
            var entry = new Entry(key, time.GetTimestamp()) { Answer = ask() };
            entries[key] = entry;
            byAge.Enqueue(entry);
            return entry.Answer;
        }
    }

    /// <summary>Forgets all.</summary>
    public void Clear()
    {
        lock (gate)
        {
            entries.Clear();
            byAge.Clear();
        }
    }

    private void Remove(Entry entry)
    {
        if (entries.TryGetValue(entry.Key, out var current) && ReferenceEquals(current, entry)) entries.Remove(entry.Key);
    }
}
