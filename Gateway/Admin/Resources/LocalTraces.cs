using System.Globalization;
using System.Text.Json;
using Broker.Gateway.Tracing;
using Broker.Grains.Interfaces.Nodes;

namespace Broker.Gateway.Admin.Resources;

/// <summary>This process's trace files: how large they are, or a piece of one.</summary>
internal sealed class LocalTraces(Traces traces, TraceTable table) : INodeResource
{
    public const string Name = "trace";

    /// <summary>Most bytes of one answer.</summary>
    public const int MaxPiece = 256 * 1024;

    private const string NameFilter = "name", PositionFilter = "position", BytesFilter = "bytes";

    public string Resource => Name;

    /// <summary>Asks how large all files are.</summary>
    public static NodeQuery Sizes { get; } = new(Name, []);

    /// <summary>Asks for a piece of one.</summary>
    public static NodeQuery Piece(string name, long position, int bytes) => new(Name,
        [new(NameFilter, name), new(PositionFilter, position.ToString(CultureInfo.InvariantCulture)), new(BytesFilter, bytes.ToString(CultureInfo.InvariantCulture))]);

    /// <summary>What a process has answered to <see cref="Piece"/>.</summary>
    public static byte[] BytesOf(NodePage page)
    {
        using var json = JsonDocument.Parse(page.Rows[0]);
        return json.RootElement.GetProperty("items").GetBytesFromBase64();
    }

    public async ValueTask<NodePage> ReadAsync(string node, NodeQuery query)
    {
        if (Find(query, NameFilter) is not { } name) return NodePages.Write(node, WriteSizes);
        if (table.Find(name)?.Value is not { } trace) return new NodePage(node, [], 0, HasMore: false) { Fault = "not_found" };
        var piece = await ReadAsync(traces.PathOf(name, trace), long.Parse(Find(query, PositionFilter)!, CultureInfo.InvariantCulture), int.Parse(Find(query, BytesFilter)!, CultureInfo.InvariantCulture));
        return NodePages.Write(node, json => json.WriteBase64String("items", piece.Span));
    }

    private void WriteSizes(Utf8JsonWriter json)
    {
        foreach (var (name, trace) in table.All.Select(entry => (entry.Key, entry.Value)))
        {
            json.WriteStartObject(name);
            json.WriteNumber("size", new FileInfo(traces.PathOf(name, trace)) is { Exists: true } file ? file.Length : 0);
            json.WriteNumber("dropped", traces.DroppedOf(trace.Id));
            json.WriteEndObject();
        }
    }

    private static async Task<ReadOnlyMemory<byte>> ReadAsync(string path, long position, int bytes)
    {
        try
        {
            await using var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete, bufferSize: 0, useAsync: true);
            if (position >= file.Length) return default;
            file.Position = position;
            var piece = new byte[Math.Min(Math.Min(bytes, MaxPiece), file.Length - position)];
            return piece.AsMemory(0, await file.ReadAtLeastAsync(piece, piece.Length, throwOnEndOfStream: false));
        }
        catch (Exception fault) when (fault is FileNotFoundException or DirectoryNotFoundException)
        {
            return default; // it has not begun here
        }
    }

    private static string? Find(NodeQuery query, string filter) => query.Filters.FirstOrDefault(one => one.Key == filter).Value;
}
