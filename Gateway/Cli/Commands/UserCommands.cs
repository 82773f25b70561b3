namespace Broker.Gateway.Cli.Commands;

/// <summary>Who may call the HTTP API: applications, and the dashboard's users. Both are managed on the dashboard's port alone.</summary>
internal static class UserCommands
{
    public static IEnumerable<CtlCommand> All => ((CtlCommand[])
    [
        CtlCommand.List("mgmt list", "/apps", "app_id name desc status expired", "applications"),
        CtlCommand.Post("mgmt insert <appid> <name> [--secret SECRET] [--desc TEXT] [--expired TIME]", "/apps", "app_id:appid name secret desc expired#", "adds an application, and tells its secret"),
        CtlCommand.Show("mgmt lookup <appid>", "/apps/{appid}", "one application"),
        CtlCommand.Put("mgmt update <appid> <status:true|false>", "/apps/{appid}", "status?", "lets an application call, or not"),
        CtlCommand.Delete("mgmt delete <appid>", "/apps/{appid}", "removes an application"),
        CtlCommand.List("admins list", "/users", "username tags", "users of the dashboard"),
        CtlCommand.Post("admins add <username> <password> [tags]", "/users", "username password tags", "adds a user"),
        CtlCommand.Of("admins passwd <user> <new> [--old PASSWORD]", "changes a user's password", ChangePasswordAsync),
        CtlCommand.Delete("admins del <user>", "/users/{user}", "removes a user"),
    ]).Select(command => command with { IsForUsers = true });

    /// <summary>The broker asks for the old password, whoever wants it changed.</summary>
    private static async Task ChangePasswordAsync(CtlCall call)
    {
        var settings = call.Api.Settings;
        var old = call.Find("old") ?? (call["user"] == settings.Name ? settings.Secret : throw CtlException.Usage($"--old is missing: the broker asks for the present password of {call["user"]}"));
        var body = JsonText.Write(json =>
        {
            json.WriteStartObject();
            json.WriteString("old_pwd", old);
            json.WriteString("new_pwd", call["new"]);
            json.WriteEndObject();
        });
        call.Output.Done("ok", await call.Api.CallAsync("PUT", call.Expand("/change_pwd/{user}"), body, call.Cancellation));
    }
}
