using Broker.Gateway.Cli.Output;

namespace Broker.Gateway.Cli.Commands;

/// <summary>Settings of the whole cluster.</summary>
internal static class ConfigurationCommands
{
    private const string Path = "/v5/configuration";

    public static IEnumerable<CtlCommand> All =>
    [
        CtlCommand.Of("config get [key]", "settings, their values and where those come from; of one, or of all that begin so", GetAsync),
        CtlCommand.Of("config set <key> <value>", "changes a setting on all nodes", call => PutAsync(call, call["value"])),
        CtlCommand.Of("config unset <key>", "takes back what was set", call => PutAsync(call, null)),
        CtlCommand.List("config drift", $"{Path}/drift", "node key value wanted fault", "where a node does not have what was set"),
    ];

    private static async Task GetAsync(CtlCall call)
    {
        var data = await call.Api.ReadAsync(Path, call.Cancellation);
        var prefix = call.Find("key") ?? "";
        var settings = data.GetProperty("settings").EnumerateArray()
            .Where(one => one.GetProperty("key").GetString() is { } key && key.StartsWith(prefix, StringComparison.OrdinalIgnoreCase) && (prefix.Length == 0 || key.Length == prefix.Length || key[prefix.Length] == ':' || prefix[^1] == ':'))
            .ToArray();
        if (settings.Length == 0 && prefix.Length > 0) throw CtlException.Refused("Not found.");
        var shown = System.Text.Json.JsonSerializer.SerializeToElement(settings, CtlJson.Default.IEnumerableJsonElement);
        await call.Output.ShowAsync(new RowShape(["key", "value", "source", "restart"], ""), CallRunner.One(shown));
    }

    /// <param name="value">Null to take it back.</param>
    private static async Task PutAsync(CtlCall call, string? value)
    {
        var body = JsonText.Write(json =>
        {
            json.WriteStartObject();
            json.WriteString(call["key"], value);
            json.WriteEndObject();
        });
        call.Output.Done("ok", await call.Api.CallAsync("PUT", Path, body, call.Cancellation));
    }
}
