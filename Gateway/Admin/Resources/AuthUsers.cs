using System.Text.Json;
using System.Text.Json.Serialization;
using Broker.Gateway.Security.BuiltIn;
using Broker.Grains.Interfaces.Records;

namespace Broker.Gateway.Admin.Resources;

/// <summary>`/auth_clientid` and `/auth_username`: the broker's own users.</summary>
internal sealed class AuthUsers(BuiltInAccess access, BuiltInUsers users) : IApiResource
{
    public IEnumerable<ApiEndpoint> Endpoints => [.. Of(UserKind.ClientId, "clientid"), .. Of(UserKind.UserName, "username")];

    private IEnumerable<ApiEndpoint> Of(UserKind kind, string field) =>
    [
        new("GET", $"/auth_{field}", $"list_{field}", $"The built-in users by {field}", call => Task.FromResult(List(call, kind, field))) { Filters = [field, $"_like_{field}"], IsPaged = true },
        new("GET", $"/auth_{field}/{{{field}}}", $"lookup_{field}", $"A built-in user by {field}", call => Task.FromResult(Find(call, kind, field))),
        new("POST", $"/auth_{field}", $"add_{field}", $"Add built-in users by {field}", call => AddAsync(call, kind, field)) { Members = [$"{field}!", "password!", "is_superuser"], Body = BodyKind.OneOrMany },
        new("PUT", $"/auth_{field}/{{{field}}}", $"update_{field}", "Change a user's password", call => UpdateAsync(call, kind, field)) { Members = ["password!"] },
        new("DELETE", $"/auth_{field}/{{{field}}}", $"delete_{field}", "Remove a user", call => RemoveAsync(call, kind, field)),
    ];

    private ApiAnswer List(ApiCall call, UserKind kind, string field)
    {
        var paging = call.Paging();
        var (equal, like) = (call.Find(field), call.Find($"_like_{field}"));
        var found = users.All
            .Select(entry => (Name: BuiltInUsers.NameOf(entry.Key, kind), Entry: entry))
            .Where(one => one.Name is not null && (equal is null || one.Name == equal) && (like is null || one.Name.Contains(like, StringComparison.Ordinal)))
            .OrderByDescending(one => one.Entry.Version)
            .ToArray();
        var rows = found.Skip((int)Math.Min(paging.Skip, int.MaxValue)).Take(paging.Limit).Select(one => RowOf(field, one.Name!, one.Entry.Value)).ToArray();
        var isFiltered = equal is not null || like is not null;
        return ApiAnswer.Page(new ClusterPage(rows, isFiltered ? null : found.Length, paging.Skip + rows.Length < found.Length, []), paging, tellsMore: true);
    }

    private ApiAnswer Find(ApiCall call, UserKind kind, string field)
    {
        var name = call.Path(field);
        return ApiAnswer.Data(json => json.WriteRow(users.Find(kind, name) is { } user ? RowOf(field, name, user) : "{}"u8.ToArray()));
    }

    private async Task<ApiAnswer> AddAsync(ApiCall call, UserKind kind, string field)
    {
        if (call.Body is { ValueKind: JsonValueKind.Array } batch)
        {
            var outcomes = new Dictionary<string, string>(StringComparer.Ordinal);
            foreach (var item in batch.EnumerateArray()) outcomes[item.OnlyText(field) ?? ""] = await AddAsync(item, kind, field) is { } fault ? $"{{error,{fault}}}" : "ok";
            return ApiAnswer.Data(outcomes, OutcomeJson.Default.DictionaryStringString);
        }

        return call.Body is not { } one ? ApiAnswer.Fault("login") : await AddAsync(one, kind, field) is { } wrong ? ApiAnswer.Fault(wrong) : ApiAnswer.Done;
    }

    /// <returns>What is wrong, as EMQ X says it: `login`, `password` or `existed`. Null if nothing is.</returns>
    private async Task<string?> AddAsync(JsonElement item, UserKind kind, string field)
    {
        if (item.OnlyText(field) is not { Length: > 0 } name) return "login";
        if (item.OnlyText("password") is not { Length: > 0 } password) return "password";
        try
        {
            return await access.AddUserAsync(kind, name, password, item.Text("is_superuser") == "true") == RecordOutcome.Exists ? "existed" : null;
        }
        catch (ArgumentException)
        {
            return "login";
        }
    }

    private async Task<ApiAnswer> UpdateAsync(ApiCall call, UserKind kind, string field)
    {
        if (call.FindText("password") is not { Length: > 0 } password) return ApiAnswer.Fault("password");
        var name = call.Path(field);
        var isSuperuser = users.Find(kind, name)?.IsSuperuser ?? false;
        return await access.UpdateUserAsync(kind, name, password, isSuperuser) == RecordOutcome.Missing ? ApiAnswer.Fault("noexisted") : ApiAnswer.Done;
    }

    private async Task<ApiAnswer> RemoveAsync(ApiCall call, UserKind kind, string field)
    {
        await access.RemoveUserAsync(kind, call.Path(field));
        return ApiAnswer.Done;
    }

    private static byte[] RowOf(string field, string name, BuiltInUser user)
    {
        using var buffer = new MemoryStream();
        using (var json = new Utf8JsonWriter(buffer))
        {
            json.WriteStartObject();
            json.WriteString(field, name);
            json.WriteBoolean("is_superuser", user.IsSuperuser);
            json.WriteNumber("created_at", user.CreatedAt);
            json.WriteEndObject();
        }

        return buffer.ToArray();
    }
}

[JsonSerializable(typeof(Dictionary<string, string>))]
internal sealed partial class OutcomeJson : JsonSerializerContext;
