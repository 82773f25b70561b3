using System.Text.Json;
using System.Text.Json.Serialization;
using Broker.Gateway.Records;

namespace Broker.Gateway.Configuration;

/// <summary>What operators have set while the broker runs, for the whole cluster: it wins over files, environment and command line.</summary>
/// <param name="Settings">By configuration key: text, a number, a truth value, or an array that takes the place of a whole list.</param>
internal sealed record SettingDocument(SortedDictionary<string, JsonElement> Settings)
{
    public static SettingDocument Empty { get; } = new(new SortedDictionary<string, JsonElement>(StringComparer.OrdinalIgnoreCase));

    /// <summary>This with other values; null takes a key, and all below it, out.</summary>
    public SettingDocument With(IEnumerable<KeyValuePair<string, JsonElement?>> changes)
    {
        var settings = new SortedDictionary<string, JsonElement>(Settings, StringComparer.OrdinalIgnoreCase);
        foreach (var (key, value) in changes)
        {
            foreach (var old in settings.Keys.Where(known => SettingKey.IsWithin(known, key)).ToArray()) settings.Remove(old);
            if (value is { } set) settings[key] = set;
        }

        return new SettingDocument(settings);
    }
}

/// <summary>The cluster's document: one record, so that its version is the document's.</summary>
internal sealed class SettingTable() : RecordTable<SettingDocument>("configuration", SettingJson.Default.SettingDocument)
{
    private const string Key = "cluster";

    /// <summary>There is another document.</summary>
    public event Action? Updated;

    /// <summary>The document as this process knows it, and its version; 0 if there never was one.</summary>
    public (SettingDocument Document, long Version) Current => Find(Key) is { } entry ? (entry.Value, entry.Version) : (SettingDocument.Empty, 0);

    /// <summary>A change that stores a document in place of the one of a version.</summary>
    public Grains.Interfaces.Records.RecordChange Replace(long version, SettingDocument document) =>
        Put(Key, document, Grains.Interfaces.Records.RecordCondition.IfUnchanged) with { Version = version };

    protected override void Changed(Entry? before, Entry? after) => Updated?.Invoke();
}

[JsonSerializable(typeof(SettingDocument))]
[JsonSerializable(typeof(string[]))]
internal sealed partial class SettingJson : JsonSerializerContext;
