namespace Broker.Grains.Interfaces.Links;

/// <summary>The receiving end of many links: remembers the last batch of each, so that one that is sent again is not done again.</summary>
/// <remarks>A link that has been silent for <see cref="Memory"/> is forgotten; its process has gone, or goes on with a higher number.
/// Not thread-safe.</remarks>
/// <typeparam name="TAnswer">What a batch is answered with.</typeparam>
public sealed class ReceivedBatches<TAnswer>(TimeProvider time)
{
    /// <summary>Well over the time for which a link repeats a batch, the last call included.</summary>
    public static readonly TimeSpan Memory = TimeSpan.FromMinutes(10);

    private readonly Dictionary<Guid, Entry> links = [];
    private long lastSweep = time.GetTimestamp();

    /// <summary>How many links are remembered.</summary>
    public int Count => links.Count;

    /// <summary>Whether a batch was taken before.</summary>
    /// <param name="answer">What it was answered with; default if a later one of its link has been answered since, so that nobody waits for this.</param>
    public bool Contains(Guid link, long number, out TAnswer? answer)
    {
        answer = default;
        if (!links.TryGetValue(link, out var last) || last.Number < number) return false;
        if (last.Number == number) answer = last.Answer;
        return true;
    }

    /// <summary>Remembers a batch as the last of its link.</summary>
    public void Add(Guid link, long number, TAnswer answer)
    {
        links[link] = new Entry(number, answer, time.GetTimestamp());
        if (time.GetElapsedTime(lastSweep) < Memory) return;
        lastSweep = time.GetTimestamp();
        foreach (var (id, entry) in links)
        {
            if (time.GetElapsedTime(entry.At) >= Memory) links.Remove(id);
        }
    }

    /// <summary>The last batch of every link, to be carried elsewhere.</summary>
    public IEnumerable<(Guid Link, long Number, TAnswer Answer)> All() => links.Select(pair => (pair.Key, pair.Value.Number, pair.Value.Answer));

    private readonly record struct Entry(long Number, TAnswer Answer, long At);
}
