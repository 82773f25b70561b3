using System.Text.Json;
using Broker.Gateway.Admin.Resources;
using Broker.Gateway.Security.BuiltIn;
using Broker.Grains.Interfaces.Records;

namespace Broker.Gateway.Admin.Backup;

/// <summary>`auth_mnesia`, and `auth_clientid` and `auth_username` of older documents: the broker's own users. Only passwords that EMQ X could check are written.</summary>
internal sealed class AuthenticationData(BuiltInUsers users, BuiltInAccess access) : IDocumentMember
{
    public IReadOnlyList<string> Names => ["auth_mnesia", "auth_clientid", "auth_username"];

    /// <summary>The kind that EMQ X calls so; null if it is none.</summary>
    public static UserKind? KindOf(string? type) => type switch
    {
        "clientid" => UserKind.ClientId,
        "username" => UserKind.UserName,
        _ => null,
    };

    public void Write(Utf8JsonWriter json)
    {
        json.WriteStartArray();
        foreach (var entry in users.All.OrderBy(entry => entry.Version))
        {
            var asClient = BuiltInUsers.NameOf(entry.Key, UserKind.ClientId);
            json.WriteStartObject();
            json.WriteString("login", asClient ?? BuiltInUsers.NameOf(entry.Key, UserKind.UserName));
            json.WriteString("type", asClient is null ? "username" : "clientid");
            EmqxPassword.Write(json, entry.Value.Method, entry.Value.Hash, entry.Value.Salt, isBinary: false);
            json.WriteNumber("created_at", entry.Value.CreatedAt);
            json.WriteEndObject();
            Exporter.FlushSome(json);
        }

        json.WriteEndArray();
    }

    public IEnumerable<RecordChange> Read(JsonElement document, ImportSettings settings)
    {
        foreach (var row in DocumentRow.Of(document, "auth_clientid")) yield return Read(row, UserKind.ClientId, "clientid", isRaw: false);
        foreach (var row in DocumentRow.Of(document, "auth_username")) yield return Read(row, UserKind.UserName, "username", isRaw: false);
        foreach (var row in DocumentRow.Of(document, "auth_mnesia").OrderBy(row => row.Number("created_at") ?? 0))
        {
            var kind = KindOf(row.Has("type") ? row.AnyText("type") : settings.LegacyKind) ?? throw row.Wrong(row.Has("type") ? "'type' is neither clientid nor username" : Importer.LegacyMissing);
            yield return Read(row, kind, "login", settings.IsRaw);
        }
    }

    private RecordChange Read(DocumentRow row, UserKind kind, string field, bool isRaw)
    {
        var name = row.Text(field);
        if (!BuiltInAccess.IsName(name)) throw row.Wrong($"'{field}' is none");
        if (EmqxPassword.Read(row.Text("password"), isRaw) is not var (method, hash, salt)) throw row.Wrong("'password' is in no form of EMQ X's");
        var isSuperuser = row.AnyText("is_superuser") == "true";
        var user = method == "plain" ? access.Keep(hash, isSuperuser) : new BuiltInUser(method, hash, salt, isSuperuser);
        return users.Put(BuiltInUsers.KeyOf(kind, name), user with { CreatedAt = row.Number("created_at") ?? access.NowMs });
    }
}

/// <summary>`acl_mnesia`: the broker's own access rules. What comes later in a document is asked first, as when EMQ X reads it.</summary>
internal sealed class AccessRuleData(BuiltInRules rules, TimeProvider time) : IDocumentMember
{
    public IReadOnlyList<string> Names => ["acl_mnesia"];

    public void Write(Utf8JsonWriter json)
    {
        var now = time.GetUtcNow().ToUnixTimeMilliseconds();
        json.WriteStartArray();
        foreach (var rule in rules.All.OrderBy(entry => entry.Version).Select(entry => entry.Value))
        {
            json.WriteStartObject();
            json.WriteString("type", AclRow.FieldOf(rule.Subject));
            if (rule.Subject != RuleSubject.All) json.WriteString("type_value", rule.Who);
            json.WriteString("topic", rule.Topic);
            json.WriteString("action", rule.Action == Security.TopicAccess.Publish ? "pub" : "sub");
            json.WriteString("access", rule.Allows ? "allow" : "deny");
            json.WriteNumber("created_at", now);
            json.WriteEndObject();
            Exporter.FlushSome(json);
        }

        json.WriteEndArray();
    }

    public IEnumerable<RecordChange> Read(JsonElement document, ImportSettings settings)
    {
        foreach (var row in DocumentRow.Of(document, Names[0]).OrderBy(row => row.Number("created_at") ?? 0))
        {
            var (subject, who) = SubjectOf(row, settings);
            var action = row.Text("action");
            if (action is not ("pub" or "sub" or "pubsub")) throw row.Wrong("'action' is none of pub, sub, pubsub");
            var allows = row.AnyText(row.Has("access") ? "access" : "allow") switch
            {
                "allow" or "true" => true,
                "deny" or "false" => false,
                _ => throw row.Wrong("'access' is neither allow nor deny"),
            };
            foreach (var rule in new AclRow(subject, who, row.Text("topic"), allows, action != "sub", action != "pub", 0).Rules)
            {
                if (BuiltInAccess.FaultOf(rule) is { } fault) throw row.Wrong(fault);
                yield return rules.Put(rule.Key, rule);
            }
        }
    }

    private static (RuleSubject Subject, string Who) SubjectOf(DocumentRow row, ImportSettings settings)
    {
        var isNew = row.Has("type");
        if (row.AnyText(isNew ? "type_value" : "login") is not { } who)
        {
            return isNew && row.AnyText("type") == "all" ? (RuleSubject.All, "") : throw row.Wrong("nobody is named");
        }

        if (!isNew && who == "$all") return (RuleSubject.All, "");
        return AuthenticationData.KindOf(isNew ? row.AnyText("type") : settings.LegacyKind) switch
        {
            UserKind.ClientId => (RuleSubject.ClientId, who),
            UserKind.UserName => (RuleSubject.UserName, who),
            _ => throw row.Wrong(isNew ? "'type' is none of all, clientid, username" : Importer.LegacyMissing),
        };
    }
}
