using System.Text.Json;
using Broker.Gateway.Records;
using Broker.Grains.Interfaces.Records;

namespace Broker.Gateway.Configuration;

/// <summary>What became of a change of the settings.</summary>
/// <param name="Version">Of the document that holds now.</param>
/// <param name="Faults">Why nothing was changed; none if it was.</param>
internal readonly record struct SettingChange(long Version, params string[] Faults);

/// <summary>Changes the cluster's settings: all of a change or nothing, and only to what is right.</summary>
internal sealed class Settings(SettingTable table, RecordFeed records, LiveConfiguration configuration, IEnumerable<ISettingTarget> targets, TimeProvider time) : IDisposable
{
    private const int MaxTries = 10;

    /// <summary>What the owner of the records has is here as soon.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(10);
    private readonly ISettingTarget[] targets = [.. targets];

    /// <summary>So that callers of this node do not take each other's tries.</summary>
    private readonly SemaphoreSlim turn = new(1);

    /// <summary>The sections that can be set.</summary>
    public IEnumerable<SettingSection> Sections => targets.SelectMany(one => one.Sections);

    /// <summary>The document that holds, and its version.</summary>
    public (SettingDocument Document, long Version) Current => table.Current;

    /// <summary>Sets keys to values; null takes the cluster's word back, so that what a process was started with holds again.</summary>
    /// <param name="changes">An object: configuration keys, or objects of them, and their values.</param>
    /// <param name="version">Of the document that the caller has read; null changes whatever it is by now.</param>
    /// <exception cref="RecordsUnavailableException">Nothing was changed.</exception>
    public async Task<SettingChange> ChangeAsync(JsonElement changes, long? version = null)
    {
        KeyValuePair<string, JsonElement?>[] spread;
        try
        {
            spread = [.. changes.EnumerateObject().SelectMany(one => Spread(one.Name, one.Value.Clone()))];
        }
        catch (FormatException fault)
        {
            return new SettingChange(Current.Version, fault.Message);
        }

        await turn.WaitAsync();
        try
        {
            return await ReplaceAsync(spread, version);
        }
        finally
        {
            turn.Release();
        }
    }

    public void Dispose() => turn.Dispose();

    private async Task<SettingChange> ReplaceAsync(KeyValuePair<string, JsonElement?>[] changes, long? version)
    {
        for (var attempt = 0; attempt < MaxTries; attempt++)
        {
            var (document, current) = Current;
            if (version is { } known && known != current) break;
            var changed = document.With(changes);
            if (Check(changed) is { Length: > 0 } faults) return new SettingChange(current, faults);
            var outcome = (await records.WriteAsync(table.Replace(current, changed)))[0];
            await FollowAsync(current);
            if (outcome == RecordOutcome.Done) return new SettingChange(Current.Version);
        }

        return new SettingChange(Current.Version, "the settings have been changed meanwhile");
    }

    /// <summary>Waits for a newer document than the one that was known: somebody has written one.</summary>
    private async Task FollowAsync(long known)
    {
        var began = time.GetTimestamp();
        while (Current.Version == known && time.GetElapsedTime(began) < Patience) await Task.Delay(Pause, time);
    }

    /// <summary>What is wrong with a document.</summary>
    public string[] Check(SettingDocument document)
    {
        var merged = configuration.With(document);
        return [.. targets.SelectMany(one => one.Check(merged))];
    }

    private IEnumerable<KeyValuePair<string, JsonElement?>> Spread(string key, JsonElement value) =>
        Sections.Where(one => SettingKey.IsWithin(key, one.Name)).MaxBy(one => one.Name.Length) is { } section
            ? SettingKey.Spread(section, key, value)
            : throw new FormatException($"{key} cannot be set while the broker runs.");
}
