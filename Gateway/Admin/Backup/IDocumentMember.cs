using System.Text.Json;
using Broker.Grains.Interfaces.Records;

namespace Broker.Gateway.Admin.Backup;

/// <summary>What an import was told beside the document.</summary>
/// <param name="LegacyKind">What `login` is in EMQ X before 4.3: `username` or `clientid`; null if it was not told.</param>
/// <param name="IsRaw">The document is of a version of EMQ X that wrote passwords without base64.</param>
internal sealed record ImportSettings(string? LegacyKind, bool IsRaw);

/// <summary>One or more members of EMQ X 4.x's documents, all about one thing.</summary>
internal interface IDocumentMember
{
    /// <summary>Their names; the first is the one that is written.</summary>
    IReadOnlyList<string> Names { get; }

    /// <summary>Writes the list that is the first member.</summary>
    void Write(Utf8JsonWriter json);

    /// <summary>What a document wants to be stored.</summary>
    /// <exception cref="ImportException">The document is wrong.</exception>
    IEnumerable<RecordChange> Read(JsonElement document, ImportSettings settings);
}
