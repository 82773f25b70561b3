namespace Broker.Grains.Cluster;

/// <summary>The last batch of each link and what was answered, so that a batch that comes again is not carried out again.</summary>
/// <remarks>A link has one batch in flight, so the last is all that can come again. Links whose process has gone are forgotten after a while.</remarks>
internal sealed class SeenBatches<TAnswer>(TimeProvider time)
{
    private static readonly TimeSpan KeptFor = TimeSpan.FromMinutes(10);

    private readonly Dictionary<Guid, (long Number, TAnswer Answer, long At)> last = [];
    private int trimAt = 256;

    /// <summary>What was answered to the batch; false if it is new.</summary>
    public bool TryGet(Guid link, long number, out TAnswer answer)
    {
        var found = last.TryGetValue(link, out var seen) && seen.Number == number;
        answer = seen.Answer;
        return found;
    }

    /// <summary>Notes the answer to the newest batch of a link.</summary>
    public void Add(Guid link, long number, TAnswer answer)
    {
        last[link] = (number, answer, time.GetTimestamp());
        if (last.Count < trimAt) return;
        foreach (var (old, seen) in last)
        {
            if (time.GetElapsedTime(seen.At) > KeptFor) last.Remove(old);
        }

        trimAt = Math.Max(256, last.Count * 2);
    }

    /// <summary>All of them, to be carried elsewhere.</summary>
    public IEnumerable<(Guid Link, long Number, TAnswer Answer)> All() => last.Select(pair => (pair.Key, pair.Value.Number, pair.Value.Answer));
}
