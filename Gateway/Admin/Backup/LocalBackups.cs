using System.Globalization;
using System.Text.Json;
using Broker.Grains.Interfaces.Nodes;

namespace Broker.Gateway.Admin.Backup;

/// <summary>This process's documents, for all of the cluster: which there are, parts of one, and its end.</summary>
internal sealed class LocalBackups(BackupFiles files, TimeProvider time) : INodeResource
{
    public const string Name = "backups";
    public const string Delete = "delete";

    /// <summary>Filter that asks for a part of one document: from `Skip` on, at most `Limit` bytes, as a JSON text of base64.</summary>
    public const string FileFilter = "filename";

    public string Resource => Name;

    public async ValueTask<NodePage> ReadAsync(string node, NodeQuery query)
    {
        if (query.Filters is [{ Key: FileFilter, Value: var name }])
        {
            if (await files.ReadAsync(name, query.Skip, query.Limit) is not { } part) return new NodePage(node, [], 0, HasMore: false);
            return new NodePage(node, [JsonSerializer.SerializeToUtf8Bytes(part, BackupJson.Default.ByteArray)], files.Find(name)?.Size ?? 0, HasMore: false);
        }

        var rows = files.List().Select(file => NodePages.Write(node, json => Write(json, node, file)).Rows[0]).ToArray();
        return new NodePage(node, rows, rows.Length, HasMore: false);
    }

    public Task<NodeResult> DoAsync(string node, NodeCommand command) => Task.FromResult(new NodeResult(node, command.Action == Delete && files.Delete(command.Name) ? 1 : 0));

    /// <summary>Writes what is told of a document.</summary>
    public void Write(Utf8JsonWriter json, string node, BackupFile file)
    {
        json.WriteString("filename", file.Name);
        json.WriteNumber("size", file.Size);
        json.WriteString("created_at", TimeZoneInfo.ConvertTime(file.CreatedAt, time.LocalTimeZone).ToString("yyyy-M-d H:m:s", CultureInfo.InvariantCulture));
        json.WriteString("node", node);
    }
}

[System.Text.Json.Serialization.JsonSerializable(typeof(byte[]))]
internal sealed partial class BackupJson : System.Text.Json.Serialization.JsonSerializerContext;
