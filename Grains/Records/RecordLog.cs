using Broker.Grains.Interfaces.Records;

namespace Broker.Grains.Records;

/// <summary>All records and the order in which they were changed last: whoever has seen a version is told what followed.</summary>
/// <remarks>What was removed is kept as long as there is room, so that followers hear of it; those who come too late begin anew. Not thread-safe.</remarks>
/// <param name="mostRemoved">Removed records that are kept.</param>
internal sealed class RecordLog(int mostRemoved)
{
    private const int Slack = 1_000;
    private readonly Dictionary<(string Table, string Key), Record> records = [];
    private readonly List<Record> page = [];

    /// <summary>By version; those that have been replaced since are among them until there are too many.</summary>
    private List<Record> log = [];

    private int removed;

    /// <summary>Removals up to here are forgotten.</summary>
    private long forgottenUpTo;

    /// <summary>The version of the last change; 0 if there was none.</summary>
    public long Last { get; private set; }

    /// <summary>No record expires before, in Unix milliseconds.</summary>
    public long SoonestExpiry { get; private set; } = long.MaxValue;

    /// <summary>Records that are not removed.</summary>
    public int Count => records.Count - removed;

    /// <summary>What is known of a key; null if nothing.</summary>
    public byte[]? Find(string table, string key) => records.GetValueOrDefault((table, key))?.Value;

    /// <summary>Takes stored records in, in the order of their versions.</summary>
    public void Restore(Record record)
    {
        Apply(record);
        // Which removals were forgotten before is not known: those before the first that is left may be.
        if (removed == (record.Value is null ? 1 : 0)) forgottenUpTo = record.Value is null ? record.Version - 1 : record.Version;
    }

    /// <summary>Decides what changes come to, as if they were done one after another.</summary>
    /// <param name="changes">What is wanted.</param>
    /// <param name="outcomes">One for each change.</param>
    /// <returns>The records to be stored, each key once, with the next versions; nothing is changed here.</returns>
    public List<Record> Plan(ReadOnlySpan<RecordChange> changes, out RecordOutcome[] outcomes)
    {
        outcomes = new RecordOutcome[changes.Length];
        var planned = new Dictionary<(string, string), RecordChange>();
        for (var i = 0; i < changes.Length; i++)
        {
            var change = changes[i];
            var key = (change.Table, change.Key);
            var isPlanned = planned.TryGetValue(key, out var earlier);
            var known = records.GetValueOrDefault(key);
            var isPresent = isPlanned ? earlier.Value is not null : known?.Value is not null;
            outcomes[i] = change.Condition switch
            {
                RecordCondition.IfAbsent when isPresent => RecordOutcome.Exists,
                RecordCondition.IfPresent when !isPresent => RecordOutcome.Missing,
                RecordCondition.IfUnchanged when isPlanned || change.Version != (isPresent ? known!.Version : 0) => RecordOutcome.Changed,
                _ => RecordOutcome.Done,
            };
            if (outcomes[i] != RecordOutcome.Done || (change.Value is null && !isPresent)) continue;
            planned[key] = change;
        }

        var version = Last;
        return [.. planned.Values.Select(change => new Record(++version, change.Table, change.Key, change.Value, change.ExpiresAt))];
    }

    /// <summary>Takes in what is stored now.</summary>
    public void Apply(Record record)
    {
        var key = (record.Table, record.Key);
        if (records.TryGetValue(key, out var before) && before.Value is null) removed--;
        if (record.Value is null) removed++;
        else if (record.ExpiresAt != 0) SoonestExpiry = Math.Min(SoonestExpiry, record.ExpiresAt);
        records[key] = record;
        log.Add(record);
        Last = record.Version;
        if (log.Count > (2 * records.Count) + Slack) log = log.FindAll(IsCurrent);
    }

    /// <summary>Forgets the older half of the removals if there are too many.</summary>
    /// <returns>The version of the last one forgotten; null if there are few.</returns>
    public long? ForgetRemoved()
    {
        if (removed <= mostRemoved) return null;
        foreach (var record in log.Where(record => record.Value is null && IsCurrent(record)).Take(removed / 2).ToArray())
        {
            records.Remove((record.Table, record.Key));
            removed--;
            forgottenUpTo = record.Version;
        }

        log = log.FindAll(IsCurrent);
        return forgottenUpTo;
    }

    /// <summary>What followed.</summary>
    public RecordPage After(RecordPosition seen, int limit)
    {
        var isRestart = seen.Version > Last || (seen.HasBegun && Math.Max(seen.Version, seen.Began) < forgottenUpTo);
        if (isRestart || !seen.HasBegun) seen = new RecordPosition(0, Last, HasBegun: true);
        page.Clear();
        for (var i = FirstAfter(seen.Version); i < log.Count; i++)
        {
            if (!IsCurrent(log[i])) continue;
            if (page.Count == limit) return new RecordPage([.. page], seen with { Version = page[^1].Version }, IsLast: false, isRestart);
            page.Add(log[i]);
        }

        return new RecordPage([.. page], seen with { Version = Last }, IsLast: true, isRestart);
    }

    /// <summary>Changes that remove what has expired.</summary>
    public RecordChange[] Expired(long nowMs, int limit)
    {
        var expired = new List<RecordChange>();
        SoonestExpiry = long.MaxValue;
        foreach (var record in records.Values)
        {
            if (record.Value is null || record.ExpiresAt == 0) continue;
            if (record.ExpiresAt <= nowMs && expired.Count < limit) expired.Add(new RecordChange(record.Table, record.Key, null));
            else SoonestExpiry = Math.Min(SoonestExpiry, record.ExpiresAt);
        }

        return [.. expired];
    }

    private bool IsCurrent(Record record) => records.TryGetValue((record.Table, record.Key), out var current) && current.Version == record.Version;

    private int FirstAfter(long version)
    {
        var (from, to) = (0, log.Count);
        while (from < to)
        {
            var middle = (from + to) / 2;
            if (log[middle].Version <= version) from = middle + 1;
            else to = middle;
        }

        return from;
    }
}
