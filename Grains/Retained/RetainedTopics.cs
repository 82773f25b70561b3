using Broker.Grains.Interfaces.Topics;

namespace Broker.Grains.Retained;

/// <summary>Topics and their retained values, found by topic filter.</summary>
/// <remarks>
/// A hash set finds one topic; the same entries in byte order (<see cref="TopicOrder{TValue}"/>) answer filters with wildcards, and make the
/// last topic read a cursor that outlives any change. A read visits what matches and, once for each value of a `+`, one topic more
/// (<see cref="FilterScan"/>). Not thread-safe: the caller holds the partition's lock.
/// </remarks>
internal sealed class RetainedTopics<TValue>
    where TValue : class
{
    /// <summary>How many topics that do not match one page may visit, so that a filter which matches little does not hold the lock for long:
    /// at about a microsecond a seek, some milliseconds.</summary>
    private const int MaxSkips = 4096;

    private readonly HashSet<RetainedEntry<TValue>> entries = new(new TopicComparer<TValue>());
    private readonly HashSet<RetainedEntry<TValue>>.AlternateLookup<ReadOnlySpan<byte>> byTopic;
    private readonly TopicOrder<TValue> order = new();

    public RetainedTopics() => byTopic = entries.GetAlternateLookup<ReadOnlySpan<byte>>();

    /// <summary>How many topics have a value.</summary>
    public int Count => entries.Count;

    /// <summary>Sets the value of a topic.</summary>
    /// <returns>The value replaced; null if there was none.</returns>
    public TValue? Set(TopicName topic, TValue value)
    {
        if (byTopic.TryGetValue(topic.Utf8, out var entry))
        {
            var replaced = entry.Value;
            entry.Value = value;
            return replaced;
        }

        entry = new RetainedEntry<TValue>(topic, value);
        entries.Add(entry);
        order.Insert(entry);
        return null;
    }

    /// <summary>Removes the value of a topic.</summary>
    /// <returns>The value it had; null if there was none.</returns>
    public TValue? Remove(TopicName topic)
    {
        if (!byTopic.TryGetValue(topic.Utf8, out var entry)) return null;
        entries.Remove(entry);
        order.Remove(topic);
        if (entries.Capacity > 1024 && entries.Count < entries.Capacity / 4) entries.TrimExcess(entries.Count * 2);
        return entry.Value;
    }

    /// <summary>The value of a topic; null if there is none.</summary>
    public TValue? Get(TopicName topic) => byTopic.TryGetValue(topic.Utf8, out var entry) ? entry.Value : null;

    /// <summary>Appends the next values whose topics match, in byte order of the topics.</summary>
    /// <param name="filterPath">A valid topic filter without its share prefix, in UTF-8; the same for every page.</param>
    /// <param name="cursor">Where the last page ended; the default value for the first.</param>
    /// <param name="limit">The most values to append, at least 1. A page may have fewer, even none, and not be the last.</param>
    /// <param name="into">Receives the values.</param>
    /// <returns>False if this was the last page. Between pages the topics may change: what is set or removed meanwhile may or may not be
    /// seen, everything else is seen exactly once.</returns>
    public bool Match(ReadOnlySpan<byte> filterPath, ref RetainedCursor cursor, int limit, List<TValue> into)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(limit, 1);
        if (cursor.Done) return false;
        cursor.Done = filterPath.IndexOfAny((byte)'+', (byte)'#') < 0
            ? MatchExact(filterPath, into)
            : !MatchPage(new FilterScan(filterPath), ref cursor, limit, into);
        return !cursor.Done;
    }

    /// <summary>Appends the next values, those of `$…` topics included, which no filter finds together with the others.</summary>
    /// <returns>False if this was the last page; otherwise as <see cref="Match"/>.</returns>
    public bool ReadAll(ref RetainedCursor cursor, int limit, List<TValue> into)
    {
        if (cursor.Done) return false;
        for (var place = order.Seek(cursor.From is { } from ? from.Utf8 : []); order[place] is { } entry; place = order.Next(place))
        {
            if (limit-- == 0)
            {
                cursor.From = entry.Topic;
                return true;
            }

            into.Add(entry.Value);
        }

        cursor.Done = true;
        return false;
    }

    private bool MatchExact(ReadOnlySpan<byte> path, List<TValue> into)
    {
        if (byTopic.TryGetValue(path, out var entry)) into.Add(entry.Value);
        return true;
    }

    private bool MatchPage(FilterScan scan, ref RetainedCursor cursor, int limit, List<TValue> into)
    {
        var place = order.Seek(cursor.From is { } from ? from.Utf8 : scan.First);
        var skips = 0;
        while (order[place] is { } entry)
        {
            if (limit == 0 || skips == MaxSkips)
            {
                cursor.From = entry.Topic;
                return true;
            }

            switch (scan.Judge(entry.Topic.Utf8))
            {
                case FilterScan.Verdict.Match:
                    into.Add(entry.Value);
                    limit--;
                    place = order.Next(place);
                    break;
                case FilterScan.Verdict.Skip:
                    skips++;
                    place = order.SeekAfter(place, scan.Target);
                    break;
                default:
                    return false;
            }
        }

        return false;
    }
}
