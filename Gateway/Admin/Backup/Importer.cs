using System.Text.Json;
using System.Text.RegularExpressions;
using Broker.Gateway.Links;
using Broker.Gateway.Records;
using Broker.Grains.Interfaces.Records;

namespace Broker.Gateway.Admin.Backup;

/// <summary>Reads documents: ours, and those that EMQ X 4.x exports. A document is looked through before anything of it is stored; what it names is stored in the place of what
/// there is, and the rest stays, so that importing twice is the same as once.</summary>
internal sealed partial class Importer(RecordsMember records, IEnumerable<IDocumentMember> members, RecordFeed feed, TimeProvider time) : IDisposable
{
    /// <summary>Why `login` cannot be understood.</summary>
    public const string LegacyMissing = "what 'login' is must be told: \"auth.mnesia.as\": \"username\" or \"clientid\"";

    /// <summary>Members of EMQ X's documents that there is nothing for here.</summary>
    public static readonly string[] Ignored = ["rules", "resources", "modules", "schemas", "configs", "listeners_state"];

    private const int MostTogether = 1_000;
    private const int MostBytesTogether = 1024 * 1024;
    private readonly SemaphoreSlim gate = new(1);

    public void Dispose() => gate.Dispose();

    /// <summary>Stores what a document names. Takes long: one document at a time.</summary>
    /// <param name="legacyKind">What `login` is in EMQ X before 4.3, if the document does not say: `username` or `clientid`.</param>
    /// <returns>The names of the members that were left out though something was in them.</returns>
    /// <exception cref="ImportException">The document is wrong: nothing was stored.</exception>
    /// <exception cref="RecordsUnavailableException">The store takes no changes now. A part may be stored: import it again.</exception>
    public async Task<string[]> ImportAsync(JsonElement document, string? legacyKind)
    {
        await gate.WaitAsync();
        try
        {
            var changes = await Task.Run(() => Read(document, legacyKind));
            foreach (var some in Split(changes)) await GrainCalls.InsistAsync(() => feed.WriteAsync(some), time);
        }
        finally
        {
            gate.Release();
        }

        if (document.TryGetProperty(RecordsMember.Name, out _)) return [];
        var known = members.SelectMany(member => member.Names).ToHashSet(StringComparer.Ordinal);
        return [.. Ignored.Where(name => !known.Contains(name) && document.TryGetProperty(name, out var list) && list.ValueKind == JsonValueKind.Array && list.GetArrayLength() > 0)];
    }

    private List<RecordChange> Read(JsonElement document, string? legacyKind)
    {
        if (document.ValueKind != JsonValueKind.Object) throw new ImportException("the document is no object");
        var version = document.Text("version") ?? throw new ImportException("'version' is missing");
        if (!Supported().IsMatch(version)) throw new ImportException($"unsupported_version: {version}") { IsVersion = true };
        if (document.TryGetProperty(RecordsMember.Name, out _)) return [.. records.Read(document)];
        var settings = new ImportSettings(document.Text("auth.mnesia.as") ?? legacyKind, IsRaw: version is "4.0" or "4.2");
        return [.. members.SelectMany(member => member.Read(document, settings))];
    }

    /// <summary>Into transactions that are short.</summary>
    private static IEnumerable<RecordChange[]> Split(List<RecordChange> changes)
    {
        var (from, bytes) = (0, 0L);
        for (var at = 0; at < changes.Count; at++)
        {
            var size = changes[at].Key.Length + (changes[at].Value?.Length ?? 0);
            if (at > from && (at - from == MostTogether || bytes + size > MostBytesTogether))
            {
                yield return [.. changes[from..at]];
                (from, bytes) = (at, 0);
            }

            bytes += size;
        }

        if (from < changes.Count) yield return [.. changes[from..]];
    }

    /// <summary>EMQ X's minor versions whose documents are understood, with or without the number of a patch.</summary>
    [GeneratedRegex(@"^4\.[0-4](\.\d+)?$")]
    private static partial Regex Supported();
}
