using Broker.Gateway.Records;
using Broker.Grains.Interfaces.Records;

namespace Broker.Gateway.Admin.Resources;

/// <summary>`/auth`, `/users` and `/change_pwd`: who may use the dashboard.</summary>
internal sealed class UserResource(DashboardUserTable table, ApiAccess access, RecordFeed records) : IApiResource
{
    private const string Administrator = "admin";

    public IEnumerable<ApiEndpoint> Endpoints =>
    [
        new("POST", "/auth", "auth_user", "Check a user's password", CheckAsync) { IsForUsers = true, Members = ["username!", "password!"], IsOpen = true },
        new("POST", "/users", "create_user", "Add a user of the dashboard", AddAsync) { IsForUsers = true, Members = ["username!", "password!", "tags"] },
        new("GET", "/users", "list_users", "The dashboard's users", _ => Task.FromResult(List())) { IsForUsers = true },
        new("PUT", "/users/{name}", "update_user", "Change the remark about a user", UpdateAsync) { IsForUsers = true, Members = ["tags"] },
        new("DELETE", "/users/{name}", "delete_user", "Remove a user", RemoveAsync) { IsForUsers = true },
        new("PUT", "/change_pwd/{username}", "change_pwd", "Change a user's password", ChangePasswordAsync) { IsForUsers = true, Members = ["old_pwd!", "new_pwd!"] },
    ];

    private async Task<ApiAnswer> CheckAsync(ApiCall call)
    {
        if (call.Find("username") is not { Length: > 0 } name) return ApiAnswer.Fault("Username undefined");
        if (call.Find("password") is not { Length: > 0 } password) return ApiAnswer.Fault("Password undefined");
        return await access.AdmitAsync(call.Http, name, password) switch
        {
            Admission.Welcome => ApiAnswer.Done,
            Admission.TooMany => ApiServer.TooMany,
            _ => ApiAnswer.Fault("Username/Password error"),
        };
    }

    private async Task<ApiAnswer> AddAsync(ApiCall call)
    {
        if (call.Find("username") is not { Length: > 0 and <= 256 } name || call.Find("password") is not { Length: > 0 } password) return ApiAnswer.Fault("Username or password undefined");
        if (!AppResource.Identifier().IsMatch(name)) return ApiAnswer.Fault("Bad Username");
        var outcomes = await records.WriteAsync(table.Put(name, DashboardUsers.Make(call.Find("tags") ?? "", password), RecordCondition.IfAbsent));
        return outcomes[0] == RecordOutcome.Exists ? ApiAnswer.Fault("Username Already Exist") : ApiAnswer.Done;
    }

    private ApiAnswer List() => ApiAnswer.Data(json =>
    {
        json.WriteStartArray();
        foreach (var entry in table.All.OrderBy(entry => entry.Key, StringComparer.Ordinal))
        {
            json.WriteStartObject();
            json.WriteString("username", entry.Key);
            json.WriteString("tags", entry.Value.Tags);
            json.WriteEndObject();
        }

        json.WriteEndArray();
    });

    private async Task<ApiAnswer> UpdateAsync(ApiCall call)
    {
        if (table.Find(call.Path("name")) is not { } entry) return ApiAnswer.Fault("Username Not Found");
        await records.WriteAsync(table.Put(entry.Key, entry.Value with { Tags = call.Find("tags") ?? entry.Value.Tags }, RecordCondition.IfPresent));
        return ApiAnswer.Done;
    }

    private async Task<ApiAnswer> RemoveAsync(ApiCall call)
    {
        var name = call.Path("name");
        if (name == Administrator) return ApiAnswer.Fault("Cannot delete admin");
        await records.WriteAsync(table.Delete(name));
        return ApiAnswer.Done;
    }

    private async Task<ApiAnswer> ChangePasswordAsync(ApiCall call)
    {
        var name = call.Path("username");
        if (table.Find(name) is not { } entry) return ApiAnswer.Fault("Username Not Found");
        if (call.Find("new_pwd") is not { Length: > 0 } password || call.Find("old_pwd") is not { } old) return ApiAnswer.Fault("Password undefined");
        var admission = await access.AdmitAsync(call.Http, name, old);
        if (admission != Admission.Welcome) return admission == Admission.TooMany ? ApiServer.TooMany : ApiAnswer.Fault("Old password wrong");
        await records.WriteAsync(table.Put(name, DashboardUsers.Make(entry.Value.Tags, password), RecordCondition.IfPresent));
        return ApiAnswer.Done;
    }
}
