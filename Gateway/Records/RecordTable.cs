using System.Collections.Concurrent;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Broker.Grains.Interfaces.Records;

namespace Broker.Gateway.Records;

/// <summary>This process's copy of one table of the cluster's records. Written by the feed alone, read by anyone.</summary>
internal abstract class RecordTable(string name)
{
    private HashSet<string>? named;

    /// <summary>The table's name in the store.</summary>
    public string Name { get; } = name;

    /// <summary>All records follow, from the first; what is not named up to <see cref="EndAll"/> is gone.</summary>
    public void BeginAll() => named = [];

    /// <summary>Every record has been named.</summary>
    public void EndAll()
    {
        if (named is null) return;
        foreach (var key in Keys.Where(key => !named.Contains(key)).ToArray()) Remove(key);
        named = null;
    }

    /// <summary>A record was stored or removed.</summary>
    /// <exception cref="JsonException">It was written by a newer program that thinks otherwise; it is left out.</exception>
    public void Take(Record record)
    {
        named?.Add(record.Key);
        if (record.Value is null) Remove(record.Key);
        else Set(record);
    }

    /// <summary>Looks at a record that somebody wants to store.</summary>
    /// <exception cref="JsonException">It is none of this table's.</exception>
    public abstract void Check(string key, byte[] value);

    protected abstract IEnumerable<string> Keys { get; }

    protected abstract void Set(Record record);

    protected abstract void Remove(string key);
}

/// <inheritdoc/>
/// <typeparam name="T">What is known of a key, kept as JSON.</typeparam>
internal class RecordTable<T>(string name, JsonTypeInfo<T> json) : RecordTable(name)
    where T : class
{
    private readonly ConcurrentDictionary<string, Entry> entries = new(StringComparer.Ordinal);

    /// <summary>A record of the table.</summary>
    /// <param name="Version">Greater than that of any record changed before.</param>
    /// <param name="ExpiresAt">When it goes by itself, in Unix milliseconds; 0 is never.</param>
    public sealed record Entry(string Key, T Value, long Version, long ExpiresAt);

    public int Count => entries.Count;

    /// <summary>All that is known, as it is found: what changes meanwhile is seen or not.</summary>
    public IEnumerable<Entry> All => entries.Values;

    /// <summary>What is known of a key; null if nothing.</summary>
    public Entry? Find(string key) => entries.GetValueOrDefault(key);

    /// <summary>A change that stores a value.</summary>
    public RecordChange Put(string key, T value, RecordCondition condition = RecordCondition.Always, long expiresAt = 0) =>
        new(Name, key, JsonSerializer.SerializeToUtf8Bytes(value, json), condition, expiresAt);

    /// <summary>A change that removes a key.</summary>
    public RecordChange Delete(string key, RecordCondition condition = RecordCondition.IfPresent) => new(Name, key, null, condition);

    public sealed override void Check(string key, byte[] value)
    {
        if (FaultOf(key, JsonSerializer.Deserialize(value, json) ?? throw new JsonException("null")) is { } fault) throw new JsonException(fault);
    }

    protected override IEnumerable<string> Keys => entries.Keys;

    protected override void Set(Record record)
    {
        var value = JsonSerializer.Deserialize(record.Value, json) ?? throw new JsonException("null");
        var entry = new Entry(record.Key, value, record.Version, record.ExpiresAt);
        var before = Find(record.Key);
        entries[record.Key] = entry;
        Changed(before, entry);
    }

    protected override void Remove(string key)
    {
        if (entries.TryRemove(key, out var before)) Changed(before, null);
    }

    /// <summary>For tables whose keys or values must be more than JSON of their type: what is wrong with them, null if nothing is.</summary>
    protected virtual string? FaultOf(string key, T value) => null;

    /// <summary>For tables that keep more than keys and values.</summary>
    protected virtual void Changed(Entry? before, Entry? after)
    {
    }
}
