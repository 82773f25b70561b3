using System.Globalization;
using System.Text;
using System.Text.Json;
using Broker.Gateway.Admin.Backup;
using Broker.Grains.Interfaces.Nodes;

namespace Broker.Gateway.Admin.Resources;

/// <summary>`/data`: what operators manage, exported into documents and imported from them.</summary>
internal sealed class Data(ClusterNodes nodes, BackupFiles files, LocalBackups local, Exporter exporter, Importer importer, NodeIdentity self) : IApiResource
{
    private const int Part = 1024 * 1024;
    private const string LegacyKind = "auth.mnesia.as";
    private const string NoSuchFile = "enoent";
    private const string NoAnswer = "the node does not answer";
    private const string BadName = "bad_filename";

    public IEnumerable<ApiEndpoint> Endpoints =>
    [
        new("POST", "/data/export", "export", "Write all that is managed into a document", _ => ExportAsync()),
        new("GET", "/data/export", "list_exported", "The documents of all nodes", _ => ListAsync()),
        new("POST", "/data/import", "import", "Import a document", ImportAsync) { MaxBody = files.MaxBytes, Filters = [LegacyKind], Members = [] },
        new("GET", "/data/file/{filename}", "download", "A document", DownloadAsync),
        new("POST", "/data/file", "upload", "Add a document", UploadAsync) { MaxBody = 2 * files.MaxBytes, Members = ["file!", "filename"] }, // as a JSON text it is longer
        new("DELETE", "/data/file/{filename}", "delete", "Delete a document", DeleteAsync),
    ];

    private Task<ApiAnswer> ExportAsync() => WriteAsync(files.NewName(), to => Task.Run(() => exporter.WriteAsync(to)), tellsFile: true);

    private async Task<ApiAnswer> ListAsync()
    {
        var answers = await nodes.ReadAllAsync(new NodeQuery(LocalBackups.Name, []));
        return ApiAnswer.Rows(answers.Pages.SelectMany(page => page.Rows).OrderBy(CreatedAt), answers.Unavailable);
    }

    private async Task<ApiAnswer> ImportAsync(ApiCall call)
    {
        if (call.Body is not { ValueKind: JsonValueKind.Object } body) return ApiAnswer.Fault("missing_required_params");
        var legacyKind = call.Find(LegacyKind);
        if (body.TryGetProperty("version", out _)) return await ImportAsync(body, legacyKind);
        if (body.OnlyText("filename") is not { } name) return ApiAnswer.Fault("missing_required_params");
        var (content, fault) = await ReadAsync(name, body.OnlyText("node"));
        if (content is null) return ApiAnswer.Fault(fault!);
        try
        {
            using var document = JsonDocument.Parse(content);
            return await ImportAsync(document.RootElement, legacyKind);
        }
        catch (JsonException)
        {
            return ApiAnswer.Fault("bad_json");
        }
    }

    private async Task<ApiAnswer> ImportAsync(JsonElement document, string? legacyKind)
    {
        try
        {
            var ignored = await importer.ImportAsync(document, legacyKind);
            return ignored.Length == 0 ? ApiAnswer.Done : ApiAnswer.Data(json =>
            {
                json.WriteStartObject();
                json.WriteStartArray("ignored");
                foreach (var name in ignored) json.WriteStringValue(name);
                json.WriteEndArray();
                json.WriteEndObject();
            });
        }
        catch (ImportException wrong) when (wrong.IsVersion)
        {
            return ApiAnswer.Fault(ResultCode.BadParameter, wrong.Message);
        }
        catch (ImportException wrong)
        {
            return new ApiAnswer(200, json =>
            {
                json.WriteString("message", "import_failed");
                json.WriteString("reason", wrong.Message);
            });
        }
    }

    private async Task<ApiAnswer> DownloadAsync(ApiCall call)
    {
        var name = call.Path("filename");
        var (content, fault) = await ReadAsync(name, null);
        return content is null ? ApiAnswer.Fault(fault!) : new ApiAnswer(200, json =>
        {
            json.WriteString("filename", name);
            json.WriteString("file", content);
        });
    }

    private async Task<ApiAnswer> UploadAsync(ApiCall call)
    {
        if (call.FindText("file") is not { } text) return ApiAnswer.Fault("missing_required_params");
        var name = call.Find("filename") ?? files.NewName();
        if (!BackupFiles.IsName(name)) return ApiAnswer.Fault(BadName);
        var bytes = Encoding.UTF8.GetBytes(text);
        try
        {
            JsonDocument.Parse(bytes).Dispose();
        }
        catch (JsonException)
        {
            return ApiAnswer.Fault("bad_json");
        }

        return await WriteAsync(name, to => to.WriteAsync(bytes).AsTask(), tellsFile: false);
    }

    /// <summary>Writes a document here, and answers with what became of it.</summary>
    private async Task<ApiAnswer> WriteAsync(string name, Func<Stream, Task> write, bool tellsFile)
    {
        try
        {
            var file = await files.WriteAsync(name, write);
            return ApiAnswer.Data(json =>
            {
                json.WriteStartObject();
                if (tellsFile) local.Write(json, self.Name, file);
                else json.WriteString("node", self.Name);
                json.WriteEndObject();
            });
        }
        catch (Exception fault) when (fault is IOException or UnauthorizedAccessException)
        {
            return ApiAnswer.Fault(fault.Message);
        }
    }

    private async Task<ApiAnswer> DeleteAsync(ApiCall call)
    {
        var name = call.Path("filename");
        if (!BackupFiles.IsName(name)) return ApiAnswer.Fault(BadName);
        if (files.Delete(name)) return ApiAnswer.Done;
        var (results, unavailable) = await nodes.DoAllAsync(new NodeCommand(LocalBackups.Name, LocalBackups.Delete, name, []));
        return results.Any(result => result.Count > 0) ? ApiAnswer.Done : unavailable.Length > 0 ? ApiAnswer.Unanswered : ApiAnswer.Fault(NoSuchFile);
    }

    /// <summary>Reads a document: of a node, or wherever it is, here first.</summary>
    /// <returns>Null, and why, if it cannot be had.</returns>
    private async Task<(byte[]? Content, string? Fault)> ReadAsync(string name, string? node)
    {
        if (!BackupFiles.IsName(name)) return (null, BadName);
        var query = new NodeQuery(LocalBackups.Name, [new(LocalBackups.FileFilter, name)], 0, Part);
        if (node is null && files.Find(name) is not null) node = self.Name;
        if (node is null)
        {
            var (pages, unavailable) = await nodes.ReadAllAsync(query with { Limit = 0 });
            node = Array.Find(pages, page => page.Rows.Length > 0)?.Node;
            if (node is null) return (null, unavailable.Length > 0 ? NoAnswer : NoSuchFile);
        }

        using var content = new MemoryStream();
        for (var size = 1L; content.Length < size;)
        {
            var (page, isKnown) = await nodes.ReadOneAsync(node, query with { Skip = content.Length });
            if (!isKnown) return (null, "no_existent_node");
            if (page is null) return (null, NoAnswer);
            if (page.Rows.Length == 0) return (null, NoSuchFile);
            if ((size = page.Found) > files.MaxBytes) return (null, "too_large");
            var part = JsonSerializer.Deserialize(page.Rows[0], BackupJson.Default.ByteArray)!;
            if (part.Length == 0) break; // it has become shorter
            content.Write(part);
        }

        return (content.ToArray(), null);
    }

    private static DateTime CreatedAt(byte[] row)
    {
        using var json = JsonDocument.Parse(row);
        return DateTime.ParseExact(json.RootElement.GetProperty("created_at").GetString()!, "yyyy-M-d H:m:s", CultureInfo.InvariantCulture);
    }
}
