using System.Text.Json;
using Broker.Gateway.Admin.Resources;
using Broker.Grains.Interfaces.Records;

namespace Broker.Gateway.Admin.Backup;

/// <summary>`apps`: applications. EMQ X's documents have their secrets, which are hashed when they are read; here nobody knows them any more, and they are not written.</summary>
internal sealed class ApplicationAccounts(AppTable table) : IDocumentMember
{
    /// <summary>Each costs milliseconds.</summary>
    private const int Most = 10_000;

    public IReadOnlyList<string> Names => ["apps"];

    public void Write(Utf8JsonWriter json)
    {
        json.WriteStartArray();
        foreach (var (id, app) in table.All.OrderBy(entry => entry.Key, StringComparer.Ordinal).Select(entry => (entry.Key, entry.Value)))
        {
            json.WriteStartObject();
            json.WriteString("id", id);
            json.WriteString("name", app.Name);
            json.WriteString("desc", app.Description);
            json.WriteBoolean("status", app.Enabled);
            if (app.Expires is { } expires) json.WriteNumber("expired", expires);
            else json.WriteString("expired", "undefined");
            json.WriteEndObject();
        }

        json.WriteEndArray();
    }

    public IEnumerable<RecordChange> Read(JsonElement document, ImportSettings settings)
    {
        var count = 0;
        foreach (var row in DocumentRow.Of(document, Names[0]))
        {
            var (id, given) = (row.Text("id"), row.Text("secret"));
            if (++count > Most) throw row.Wrong($"more than {Most} applications");
            if (id.Length > 256 || !AppResource.Identifier().IsMatch(id)) throw row.Wrong("'id' is none");
            if (given.Length == 0) throw row.Wrong("'secret' is empty");
            var (hash, salt) = Secrets.Keep(given);
            yield return table.Put(id, new App(row.AnyText("name") ?? "", row.AnyText("desc") ?? "", row.AnyText("status") != "false", row.Number("expired"), hash, salt, given == ManagementOptions.UsualSecret));
        }
    }
}

/// <summary>`users`: who may use the dashboard. Only passwords that came from EMQ X are written: it could not check others.</summary>
internal sealed class UserAccounts(DashboardUserTable table) : IDocumentMember
{
    public IReadOnlyList<string> Names => ["users"];

    public void Write(Utf8JsonWriter json)
    {
        json.WriteStartArray();
        foreach (var entry in table.All.OrderBy(entry => entry.Key, StringComparer.Ordinal))
        {
            json.WriteStartObject();
            json.WriteString("username", entry.Key);
            EmqxPassword.Write(json, entry.Value.Method, entry.Value.Hash, entry.Value.Salt, isBinary: true);
            json.WriteString("tags", entry.Value.Tags);
            json.WriteEndObject();
        }

        json.WriteEndArray();
    }

    public IEnumerable<RecordChange> Read(JsonElement document, ImportSettings settings)
    {
        foreach (var row in DocumentRow.Of(document, Names[0]))
        {
            var name = row.Text("username");
            if (name.Length is 0 or > 256) throw row.Wrong("'username' is none");
            if (EmqxPassword.ReadBinary(row.Text("password")) is not var (method, hash, salt)) throw row.Wrong("'password' is not base64 of salt and hash");
            yield return table.Put(name, new DashboardUser(row.AnyText("tags") ?? "", hash, salt, EmqxPassword.Matches(method, hash, salt, ManagementOptions.UsualSecret), method));
        }
    }
}
