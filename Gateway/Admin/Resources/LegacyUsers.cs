using System.Text.Json;
using Broker.Gateway.Security.BuiltIn;
using Broker.Grains.Interfaces.Nodes;
using Broker.Grains.Interfaces.Records;
using Microsoft.Extensions.Options;

namespace Broker.Gateway.Admin.Resources;

/// <summary>`/auth_user` and `/mqtt_user`, as EMQ X 4.0 to 4.2 had them: the broker's own users by `login`, which is a user name or a client identifier.</summary>
internal sealed class LegacyUsers(BuiltInAccess access, BuiltInUsers users, IOptions<ManagementOptions> options) : IApiResource
{
    /// <summary>As many as EMQ X's lists had on a page.</summary>
    public const int UsualLimit = 10;

    private readonly UserKind kind = options.Value.LegacyKind;

    public IEnumerable<ApiEndpoint> Endpoints => [.. At("/auth_user"), .. At("/mqtt_user")];

    private IEnumerable<ApiEndpoint> At(string root) =>
    [
        new("GET", root, "list_user", "The built-in users, as EMQ X 4.2 shows them", call => Task.FromResult(List(call))) { IsPaged = true },
        new("POST", root, "add_user", "Add built-in users", AddAsync) { Members = ["login!", "password!", "is_superuser"], Body = BodyKind.OneOrMany },
        new("GET", $"{root}/{{login}}", "lookup_user", "A built-in user", call => Task.FromResult(Find(call.Path("login")))),
        new("PUT", $"{root}/{{login}}", "update_user", "Change a user's password", UpdateAsync) { Members = ["password!", "is_superuser"] },
        new("DELETE", $"{root}/{{login}}", "delete_user", "Remove a user", RemoveAsync),
    ];

    private ApiAnswer List(ApiCall call)
    {
        var paging = call.Paging(UsualLimit);
        var found = users.All.Where(entry => BuiltInUsers.NameOf(entry.Key, kind) is not null).OrderByDescending(entry => entry.Version).ToArray();
        var rows = found.Skip((int)Math.Min(paging.Skip, int.MaxValue)).Take(paging.Limit).Select(entry => RowOf(BuiltInUsers.NameOf(entry.Key, kind)!, entry.Value)).ToArray();
        return ApiAnswer.Page(new ClusterPage(rows, found.Length, paging.Skip + rows.Length < found.Length, []), paging, tellsMore: false);
    }

    private ApiAnswer Find(string login) => ApiAnswer.Data(json => json.WriteRow(users.Find(kind, login) is { } user ? RowOf(login, user) : "{}"u8.ToArray()));

    private async Task<ApiAnswer> AddAsync(ApiCall call)
    {
        if (call.Body is not { } body) return ApiAnswer.Fault("login");
        if (body.ValueKind != JsonValueKind.Array)
        {
            var (login, fault) = await AddAsync(body);
            return fault is "login" or "password" ? ApiAnswer.Fault(fault) : ApiAnswer.Data(new() { [login] = fault is null ? "ok" : $"{{error,{fault}}}" }, OutcomeJson.Default.DictionaryStringString);
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
        if (item.OnlyText("password") is not { Length: > 0 } password) return (login, "password");
        try
        {
            return (login, await access.AddUserAsync(kind, login, password, item.Text("is_superuser") == "true") == RecordOutcome.Exists ? "existed" : null);
        }
        catch (ArgumentException)
        {
            return (login, "login");
        }
    }

    private async Task<ApiAnswer> UpdateAsync(ApiCall call)
    {
        if (call.FindText("password") is not { Length: > 0 } password) return ApiAnswer.Fault("password");
        var login = call.Path("login");
        var isSuperuser = call.Find("is_superuser") is { } flag ? flag == "true" : users.Find(kind, login)?.IsSuperuser ?? false;
        return await access.UpdateUserAsync(kind, login, password, isSuperuser) == RecordOutcome.Missing ? ApiAnswer.Fault("noexisted") : ApiAnswer.Done;
    }

    private async Task<ApiAnswer> RemoveAsync(ApiCall call)
    {
        await access.RemoveUserAsync(kind, call.Path("login"));
        return ApiAnswer.Done;
    }

    private static byte[] RowOf(string login, BuiltInUser user) => NodePages.Write("", json =>
    {
        json.WriteString("login", login);
        json.WriteString("password", user.Hash);
        json.WriteBoolean("is_superuser", user.IsSuperuser);
    }).Rows[0];
}
