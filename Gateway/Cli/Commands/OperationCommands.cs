namespace Broker.Gateway.Cli.Commands;

/// <summary>What operators look at now and then: alarms, the audit log, telemetry.</summary>
internal static class OperationCommands
{
    private const string NothingIsSent = "Nothing is sent, ever: this broker has no telemetry.";

    public static IEnumerable<CtlCommand> All =>
    [
        CtlCommand.List("alarms list [which:activated|deactivated] [--node NODE]", "[/nodes/{node}]/alarms[/{which}]", "node name message activate_at deactivate_at activated duration", "alarms, present and past"),
        CtlCommand.Of("alarms deactivate <alarm> [--node NODE]", "ends an alarm, on all nodes that have it unless one is named", DeactivateAsync),
        CtlCommand.Delete("alarms clear [--node NODE]", "[/nodes/{node}]/alarms/deactivated", "forgets past alarms"),
        CtlCommand.Pages("audit list", "/v5/audit", "", "who has changed what, and when"),
        CtlCommand.Of("telemetry", "says what is sent to the makers", Tell),
        CtlCommand.Of("telemetry get [which:status|data]", "says what is sent to the makers", Tell),
        CtlCommand.Of("telemetry enable", "cannot be done", _ => throw CtlException.Refused(NothingIsSent)),
        CtlCommand.Of("telemetry disable", "has nothing to do", Tell),
    ];

    private static Task Tell(CtlCall call)
    {
        call.Output.Done(NothingIsSent, System.Text.Json.JsonDocument.Parse("""{"enabled":false}""").RootElement);
        return Task.CompletedTask;
    }

    private static async Task DeactivateAsync(CtlCall call)
    {
        var name = call["alarm"];
        string[] nodes = call.Find("node") is { } node ? [node]
            : [.. Output.JsonRows.Of(await call.Api.ReadAsync("/alarms/activated", call.Cancellation), "").Where(row => row["name"] == name).Select(row => row["node"])];
        if (nodes.Length == 0) throw CtlException.Refused("Not found.");
        System.Text.Json.JsonElement answer = default;
        foreach (var one in nodes)
        {
            var body = JsonText.Write(json =>
            {
                json.WriteStartObject();
                json.WriteString("node", one);
                json.WriteString("name", name);
                json.WriteEndObject();
            });
            answer = await call.Api.CallAsync("POST", "/alarms/deactivated", body, call.Cancellation);
        }

        call.Output.Done("ok", answer);
    }
}
