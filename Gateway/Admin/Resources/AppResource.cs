using System.Security.Cryptography;
using System.Text.Json;
using System.Text.RegularExpressions;
using Broker.Gateway.Records;
using Broker.Grains.Interfaces.Records;

namespace Broker.Gateway.Admin.Resources;

/// <summary>`/apps`: the applications that may call the HTTP API. A secret is told once, when it is made.</summary>
internal sealed partial class AppResource(AppTable table, RecordFeed records) : IApiResource
{
    private const string SecretCharacters = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

    private static readonly string[] Changeable = ["name", "desc", "status", "expired"];

    public IEnumerable<ApiEndpoint> Endpoints =>
    [
        new("POST", "/apps", "add_app", "Add an application", AddAsync) { IsForUsers = true, Members = ["app_id!", "secret", .. Changeable] },
        new("GET", "/apps", "list_apps", "The applications", _ => Task.FromResult(List())) { IsForUsers = true },
        new("GET", "/apps/{appid}", "lookup_app", "An application", call => Task.FromResult(Find(call))) { IsForUsers = true },
        new("PUT", "/apps/{appid}", "update_app", "Change an application", UpdateAsync) { IsForUsers = true, Members = Changeable },
        new("DELETE", "/apps/{appid}", "del_app", "Remove an application", RemoveAsync) { IsForUsers = true },
    ];

    /// <summary>What may be the id of an application, and the name of a user.</summary>
    [GeneratedRegex("^[A-Za-z0-9]+[A-Za-z0-9-_]*$")]
    internal static partial Regex Identifier();

    private async Task<ApiAnswer> AddAsync(ApiCall call)
    {
        if (call.Find("app_id") is not { Length: > 0 and <= 256 } id || !Identifier().IsMatch(id)) return ApiAnswer.Fault("bad_app_id");
        var secret = call.Find("secret") is { Length: > 0 } given ? given : RandomNumberGenerator.GetString(SecretCharacters, 32);
        var (hash, salt) = Secrets.Keep(secret);
        var app = Read(call, new App("", "", Enabled: true, null, hash, salt, secret == ManagementOptions.UsualSecret));
        var outcomes = await records.WriteAsync(table.Put(id, app, RecordCondition.IfAbsent));
        if (outcomes[0] == RecordOutcome.Exists) return ApiAnswer.Fault("already_existed");
        return ApiAnswer.Data(json =>
        {
            json.WriteStartObject();
            json.WriteString("secret", secret);
            json.WriteEndObject();
        });
    }

    private ApiAnswer List() => ApiAnswer.Data(json =>
    {
        json.WriteStartArray();
        foreach (var entry in table.All.OrderBy(entry => entry.Key, StringComparer.Ordinal))
        {
            json.WriteStartObject();
            Write(json, entry.Key, entry.Value);
            json.WriteEndObject();
        }

        json.WriteEndArray();
    });

    private ApiAnswer Find(ApiCall call)
    {
        var id = call.Path("appid");
        return ApiAnswer.Data(json =>
        {
            json.WriteStartObject();
            if (table.Find(id) is { Value: { } app })
            {
                Write(json, id, app);
                json.WriteString("secret", ""); // nobody knows it any more
            }

            json.WriteEndObject();
        });
    }

    private async Task<ApiAnswer> UpdateAsync(ApiCall call)
    {
        var id = call.Path("appid");
        if (table.Find(id) is not { Value: { } app }) return ApiAnswer.Fault("not_found");
        var outcomes = await records.WriteAsync(table.Put(id, Read(call, app), RecordCondition.IfPresent));
        return outcomes[0] == RecordOutcome.Missing ? ApiAnswer.Fault("not_found") : ApiAnswer.Done;
    }

    private async Task<ApiAnswer> RemoveAsync(ApiCall call)
    {
        await records.WriteAsync(table.Delete(call.Path("appid")));
        return ApiAnswer.Done;
    }

    /// <summary>What a call says of an application; the rest stays.</summary>
    private static App Read(ApiCall call, App app)
    {
        var expires = call.Says("expired") ? ExpiryOf(call.Find("expired")) : app.Expires;
        return app with { Name = call.Find("name") ?? app.Name, Description = call.Find("desc") ?? app.Description, Enabled = call.Find("status") is { } status ? status == "true" : app.Enabled, Expires = expires };
    }

    /// <returns>Null for never.</returns>
    private static long? ExpiryOf(string? text) => text is null or "" or ClientUndefined ? null
        : long.TryParse(text, out var seconds) && seconds > 0 ? seconds
        : throw new ApiException(ResultCode.BadParameter, "expired must be a time in Unix seconds");

    private const string ClientUndefined = "undefined";

    private static void Write(Utf8JsonWriter json, string id, App app)
    {
        json.WriteString("app_id", id);
        json.WriteString("name", app.Name);
        json.WriteString("desc", app.Description);
        json.WriteBoolean("status", app.Enabled);
        if (app.Expires is { } expires) json.WriteNumber("expired", expires);
        else json.WriteString("expired", ClientUndefined);
    }
}
