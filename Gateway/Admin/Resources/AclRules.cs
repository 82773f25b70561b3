using System.Text.Json;
using Broker.Gateway.Security.BuiltIn;

namespace Broker.Gateway.Admin.Resources;

/// <summary>`/acl`: the broker's own access rules. A rule for both directions is kept as two and shown as one again.</summary>
internal sealed class AclRules(BuiltInAccess access, BuiltInRules rules) : IApiResource
{
    private const int UsualLimit = 50;
    private static readonly string[] RuleFilters = ["topic", "action", "access"];
    private static readonly string[] Subjects = [.. Enum.GetValues<RuleSubject>().Select(AclRow.FieldOf)];

    public IEnumerable<ApiEndpoint> Endpoints =>
    [
        new("POST", "/acl", "create_acl", "Add access rules", AddAsync) { Members = ["clientid", "username", "all", "topic!", "action!", "access!"], Body = BodyKind.OneOrMany },
        new("GET", "/acl/clientid", "list_clientid_acl", "The rules of client identifiers", call => Task.FromResult(List(call, RuleSubject.ClientId))) { Filters = ["clientid", "_like_clientid", .. RuleFilters], IsPaged = true },
        new("GET", "/acl/username", "list_username_acl", "The rules of user names", call => Task.FromResult(List(call, RuleSubject.UserName))) { Filters = ["username", "_like_username", .. RuleFilters], IsPaged = true },
        new("GET", "/acl/$all", "list_all_acl", "The rules for everybody", call => Task.FromResult(List(call, RuleSubject.All))) { Filters = RuleFilters, IsPaged = true },
        new("GET", "/acl/clientid/{clientid}", "lookup_clientid_acl", "The rules of a client identifier", call => Task.FromResult(Find(RuleSubject.ClientId, call.Path("clientid")))),
        new("GET", "/acl/username/{username}", "lookup_username_acl", "The rules of a user name", call => Task.FromResult(Find(RuleSubject.UserName, call.Path("username")))),
        new("DELETE", "/acl/clientid/{clientid}/topic/{topic}", "delete_clientid_acl", "Remove the rules of a client identifier for a topic", call => RemoveAsync(call, RuleSubject.ClientId, call.Path("clientid"))),
        new("DELETE", "/acl/username/{username}/topic/{topic}", "delete_username_acl", "Remove the rules of a user name for a topic", call => RemoveAsync(call, RuleSubject.UserName, call.Path("username"))),
        new("DELETE", "/acl/$all/topic/{topic}", "delete_all_acl", "Remove the rules for everybody for a topic", call => RemoveAsync(call, RuleSubject.All, "")),
    ];

    private ApiAnswer List(ApiCall call, RuleSubject subject)
    {
        var field = AclRow.FieldOf(subject);
        var paging = call.Paging(UsualLimit);
        var (who, like, topic, action, answer) = (call.Find(field), call.Find($"_like_{field}"), call.Find("topic"), call.Find("action"), call.Find("access"));
        var found = AclRow.Of(rules, subject)
            .Where(row => (subject == RuleSubject.All || ((who is null || row.Who == who) && (like is null || row.Who.Contains(like, StringComparison.Ordinal))))
                && (topic is null || row.Topic == topic) && (action is null || row.Action == action) && (answer is null || row.Access == answer))
            .ToArray();
        var rows = found.Skip((int)Math.Min(paging.Skip, int.MaxValue)).Take(paging.Limit).Select(ToJson).ToArray();
        return ApiAnswer.Page(new ClusterPage(rows, found.Length, paging.Skip + rows.Length < found.Length, []), paging, tellsMore: false);
    }

    private ApiAnswer Find(RuleSubject subject, string who) => ApiAnswer.Rows(AclRow.Of(rules, subject).Where(row => row.Who == who).Select(ToJson));

    private async Task<ApiAnswer> AddAsync(ApiCall call)
    {
        if (call.Body is not { } body) return ApiAnswer.Fault("missing_required_params");
        if (body.ValueKind != JsonValueKind.Array)
        {
            var (row, fault) = await AddAsync(body);
            return fault is not null ? ApiAnswer.Fault(fault) : ApiAnswer.Data(json => Write(json, row!, "ok"));
        }

        var outcomes = new List<(AclRow? Row, string? Fault)>();
        foreach (var item in body.EnumerateArray()) outcomes.Add(await AddAsync(item));

        outcomes.Reverse(); // as EMQ X answers
        return ApiAnswer.Data(json =>
        {
            json.WriteStartArray();
            foreach (var (row, fault) in outcomes) Write(json, row, fault is null ? "ok" : $"{{error,{fault}}}");
            json.WriteEndArray();
        });
    }

    /// <returns>The rule that was added, or what is wrong with it.</returns>
    private async Task<(AclRow? Row, string? Fault)> AddAsync(JsonElement item)
    {
        if (SubjectFaultOf(item) is { } wrongSubject) return (null, wrongSubject);
        var (clientId, userName) = (item.OnlyText("clientid"), item.OnlyText("username"));
        var subject = clientId is not null ? RuleSubject.ClientId : userName is not null ? RuleSubject.UserName : RuleSubject.All;
        if (item.OnlyText("topic") is not { Length: > 0 } topic) return (null, "topic");
        var (action, answer) = (item.OnlyText("action"), item.OnlyText("access"));
        if (action is not ("pub" or "sub" or "pubsub")) return (null, "action");
        if (answer is not ("allow" or "deny")) return (null, "access");
        var row = new AclRow(subject, clientId ?? userName ?? "", topic, answer == "allow", action != "sub", action != "pub", 0);
        try
        {
            await access.AddRulesAsync(row.Rules);
            return (row, null);
        }
        catch (ArgumentException wrong)
        {
            return (null, wrong.Message);
        }
    }

    /// <returns>The member that does not say whom a rule is about, null if none is wrong. What is about somebody must not become a rule for everybody.</returns>
    private static string? SubjectFaultOf(JsonElement item)
    {
        if (item.ValueKind != JsonValueKind.Object) return "topic";
        string[] named = [.. Subjects.Where(name => item.TryGetProperty(name, out _))];
        string[] given = [.. named.Where(name => item.Text(name) is not null)];
        return given.Length > 1 ? $"only one of {string.Join(", ", given)}"
            : given is not [var one] ? named.FirstOrDefault()
            : item.OnlyText(one) is not { } who || (one == AclRow.FieldOf(RuleSubject.All) && who != AclRow.Everybody) ? one : null;
    }

    private async Task<ApiAnswer> RemoveAsync(ApiCall call, RuleSubject subject, string who)
    {
        await access.RemoveRulesAsync(subject, who, call.Path("topic"));
        return ApiAnswer.Done;
    }

    private static byte[] ToJson(AclRow row)
    {
        using var buffer = new MemoryStream();
        using (var json = new Utf8JsonWriter(buffer)) Write(json, row, null);
        return buffer.ToArray();
    }

    private static void Write(Utf8JsonWriter json, AclRow? row, string? result)
    {
        json.WriteStartObject();
        row?.Write(json);
        if (result is not null) json.WriteString("result", result);
        json.WriteEndObject();
    }
}
