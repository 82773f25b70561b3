using System.Text.Json;
using Broker.Gateway.Security.BuiltIn;
using Broker.Grains.Interfaces.Nodes;
using Microsoft.Extensions.Options;

namespace Broker.Gateway.Admin.Resources;

/// <summary>`/emqx_acl` and `/mqtt_acl`, as EMQ X 4.0 to 4.2 had them: the broker's own access rules by `login`, which is a user name or a client identifier, or `$all`.</summary>
internal sealed class LegacyAcl(BuiltInAccess access, BuiltInRules rules, IOptions<ManagementOptions> options) : IApiResource
{
    private const string Everybody = AclRow.Everybody;
    private readonly RuleSubject subject = options.Value.LegacyKind == UserKind.ClientId ? RuleSubject.ClientId : RuleSubject.UserName;

    public IEnumerable<ApiEndpoint> Endpoints => [.. At("/emqx_acl"), .. At("/mqtt_acl")];

    private IEnumerable<ApiEndpoint> At(string root) =>
    [
        new("GET", root, "list_acl", "The built-in access rules, as EMQ X 4.2 shows them", call => Task.FromResult(List(call))) { IsPaged = true },
        new("POST", root, "add_acl", "Add access rules", AddAsync) { Members = ["login!", "topic!", "action!", "allow!"], Body = BodyKind.OneOrMany },
        new("GET", $"{root}/{{login}}", "lookup_acl", "The rules of a login", call => Task.FromResult(ApiAnswer.Rows(Of(call.Path("login")).Select(ToJson)))),
        new("DELETE", $"{root}/{{login}}/{{topic}}", "delete_acl", "Remove the rules of a login for a topic", RemoveAsync),
    ];

    private IEnumerable<AclRow> Of(string login) =>
        login == Everybody ? AclRow.Of(rules, RuleSubject.All) : AclRow.Of(rules, subject).Where(row => row.Who == login);

    private ApiAnswer List(ApiCall call)
    {
        var paging = call.Paging(LegacyUsers.UsualLimit);
        var found = AclRow.Of(rules, subject).Concat(AclRow.Of(rules, RuleSubject.All)).ToArray();
        var rows = found.Skip((int)Math.Min(paging.Skip, int.MaxValue)).Take(paging.Limit).Select(ToJson).ToArray();
        return ApiAnswer.Page(new ClusterPage(rows, found.Length, paging.Skip + rows.Length < found.Length, []), paging, tellsMore: false);
    }

    private async Task<ApiAnswer> AddAsync(ApiCall call)
    {
        if (call.Body is not { } body) return ApiAnswer.Fault("login");
        if (body.ValueKind != JsonValueKind.Array)
        {
            var (login, fault) = await AddAsync(body);
            return fault is not null ? ApiAnswer.Fault(fault) : ApiAnswer.Data(new() { [login] = "ok" }, OutcomeJson.Default.DictionaryStringString);
        }

        var outcomes = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var item in body.EnumerateArray())
        {
            var (login, fault) = await AddAsync(item);
            outcomes[login] = fault is null ? "ok" : $"{{error,{fault}}}";
        }

        return ApiAnswer.Data(outcomes, OutcomeJson.Default.DictionaryStringString);
    }

    /// <returns>Whom it was about, and what is wrong; null if nothing is.</returns>
    private async Task<(string Login, string? Fault)> AddAsync(JsonElement item)
    {
        if (item.OnlyText("login") is not { Length: > 0 } login) return ("", "login");
        if (item.OnlyText("topic") is not { Length: > 0 } topic) return (login, "topic");
        var (action, allow) = (item.OnlyText("action"), item.Text("allow"));
        if (action is not ("pub" or "sub" or "pubsub")) return (login, "action");
        if (allow is not ("true" or "false")) return (login, "allow");
        var row = new AclRow(login == Everybody ? RuleSubject.All : subject, login == Everybody ? "" : login, topic, allow == "true", action != "sub", action != "pub", 0);
        try
        {
            await access.AddRulesAsync(row.Rules);
            return (login, null);
        }
        catch (ArgumentException)
        {
            return (login, "topic");
        }
    }

    private async Task<ApiAnswer> RemoveAsync(ApiCall call)
    {
        var login = call.Path("login");
        await access.RemoveRulesAsync(login == Everybody ? RuleSubject.All : subject, login == Everybody ? "" : login, call.Path("topic"));
        return ApiAnswer.Done;
    }

    private static byte[] ToJson(AclRow row) => NodePages.Write("", json =>
    {
        json.WriteString("login", row.Subject == RuleSubject.All ? Everybody : row.Who);
        json.WriteString("topic", row.Topic);
        json.WriteString("action", row.Action);
        json.WriteBoolean("allow", row.Allows);
    }).Rows[0];
}
