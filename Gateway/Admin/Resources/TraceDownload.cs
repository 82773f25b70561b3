using System.IO.Compression;
using System.Text;
using System.Text.Json;
using Broker.Gateway.Tracing;
using Broker.Grains.Interfaces.Nodes;

namespace Broker.Gateway.Admin.Resources;

/// <summary>Gathers a trace's files from the nodes, piece by piece, into a zip that lies on disk and not in memory.</summary>
internal sealed class TraceDownload(ClusterNodes nodes, Traces traces)
{
    /// <summary>Makes the zip.</summary>
    /// <param name="node">Whose file; null for those of all.</param>
    /// <returns>The zip, from its beginning, which is removed when it is closed; null if the node does not answer.</returns>
    public async Task<Stream?> MakeAsync(string name, string? node)
    {
        var answers = await nodes.ReadAllAsync(LocalTraces.Sizes);
        var pages = Array.FindAll(answers.Pages, page => node is null || page.Node == node);
        if (node is not null && pages.Length == 0) return null;
        Directory.CreateDirectory(traces.Folder);
        var zip = new FileStream(Path.Combine(traces.Folder, $"download_{Guid.NewGuid():N}.zip"), FileMode.CreateNew, FileAccess.ReadWrite, FileShare.None, 64 * 1024, FileOptions.Asynchronous | FileOptions.DeleteOnClose);
        try
        {
            await using (var archive = await ZipArchive.CreateAsync(zip, ZipArchiveMode.Create, leaveOpen: true, entryNameEncoding: Encoding.UTF8))
            {
                foreach (var page in pages) await AddAsync(archive, name, page.Node, SizeOf(page, name));
                foreach (var absent in node is null ? answers.Unavailable : []) await NoteAsync(archive, name, absent);
            }

            zip.Position = 0;
            return zip;
        }
        catch
        {
            await zip.DisposeAsync();
            throw;
        }
    }

    /// <param name="size">How much of the file is taken: it may grow meanwhile.</param>
    private async Task AddAsync(ZipArchive archive, string name, string node, long size)
    {
        var isWhole = true;
        await using (var entry = await archive.CreateEntry(NameOf(name, node, "log")).OpenAsync())
        {
            for (var position = 0L; position < size && isWhole;)
            {
                var (page, _) = await nodes.ReadOneAsync(node, LocalTraces.Piece(name, position, (int)Math.Min(LocalTraces.MaxPiece, size - position)));
                var piece = page is { Fault: null } ? LocalTraces.BytesOf(page) : [];
                isWhole = piece.Length > 0;
                await entry.WriteAsync(piece);
                position += piece.Length;
            }
        }

        if (!isWhole) await NoteAsync(archive, name, node);
    }

    /// <summary>Says in the zip itself that a node's part is missing.</summary>
    private static async Task NoteAsync(ZipArchive archive, string name, string node)
    {
        await using var entry = await archive.CreateEntry(NameOf(name, node, "missing.txt")).OpenAsync();
        await entry.WriteAsync(Encoding.UTF8.GetBytes($"{node} did not answer: its trace is missing, or not whole.\n"));
    }

    private static string NameOf(string name, string node, string ending) => $"{node}-trace_{name}.{ending}";

    private static long SizeOf(NodePage page, string name)
    {
        using var json = JsonDocument.Parse(page.Rows[0]);
        return json.RootElement.TryGetProperty(name, out var file) ? file.GetProperty("size").GetInt64() : 0;
    }
}
