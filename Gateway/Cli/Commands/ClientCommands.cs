namespace Broker.Gateway.Cli.Commands;

/// <summary>Clients, their subscriptions, and where those lead.</summary>
internal static class ClientCommands
{
    private const string ClientColumns = "clientid username ip_address port proto_name proto_ver keepalive clean_start connected connected_at subscriptions_cnt inflight mqueue_len node";

    public static IEnumerable<CtlCommand> All =>
    [
        CtlCommand.Pages(
            "clients list [--node NODE] [--username NAME] [--like TEXT] [--ip ADDRESS] [--state:connected|disconnected]",
            "[/nodes/{node}]/clients?username={username}&_like_clientid={like}&ip_address={ip}&conn_state={state}", ClientColumns, "clients, page by page"),
        CtlCommand.Show("clients show <clientid>", "/clients/{clientid}", "all that is known of a client"),
        CtlCommand.Delete("clients kick <clientid>", "/clients/{clientid}", "cuts a client and ends its session, wherever it is"),
        CtlCommand.List("clients history <clientid>", "/v5/clients/{clientid}/history", "at event node topic reason code source rule count last_at peer", "what happened to a client lately"),
        CtlCommand.Pages("routes list", "/routes", "topic node", "topic filters and the nodes they lead to"),
        CtlCommand.List("routes show <topic>", "/routes/{topic}", "topic node", "the nodes that a topic filter leads to") with { IsOne = true },
        CtlCommand.Pages(
            "subscriptions list [--node NODE] [--topic FILTER] [--match FILTER] [--qos:0|1|2] [--share GROUP]",
            "[/nodes/{node}]/subscriptions?topic={topic}&_match_topic={match}&qos={qos}&share={share}", "clientid topic qos node", "subscriptions, those of absent clients too"),
        CtlCommand.List("subscriptions show <clientid>", "/subscriptions/{clientid}", "clientid topic qos node", "the subscriptions of a client") with { IsOne = true },
        CtlCommand.Post("subscriptions add <clientid> <topic> <qos:0|1|2>", "/mqtt/subscribe", "clientid topic qos#", "subscribes a client, also one that is away"),
        CtlCommand.Post("subscriptions del <clientid> <topic>", "/mqtt/unsubscribe", "clientid topic", "unsubscribes a client"),
        CtlCommand.Of("explain publish <topic> [--client CLIENTID] [--qos:0|1|2]", "who would get a message, who not, and why; nothing is published", ExplainAsync),
        CtlCommand.Pages("banned list", "/banned", "as who reason by at until", "who may not connect"),
        CtlCommand.Post("banned add <as:clientid|username|peerhost> <who> [--reason TEXT] [--by NAME] [--until TIME]", "/banned", "as who reason by until#", "bans a client, a user or an address"),
        CtlCommand.Delete("banned del <as:clientid|username|peerhost> <who>", "/banned/{as}/{who}", "lifts a ban"),
    ];

    private static async Task ExplainAsync(CtlCall call)
    {
        var data = await call.Api.ReadAsync(call.Expand("/v5/explain/publish?topic={topic}&client={client}&qos={qos}"), call.Cancellation);
        if (call.Output is Output.JsonOutput)
        {
            call.Output.Show(data);
            return;
        }

        if (data.ValueKind == System.Text.Json.JsonValueKind.Object && data.TryGetProperty("publisher", out var publisher)) call.Output.Show(publisher);
        await call.Output.ShowAsync(new Output.RowShape(["clientid", "verdict", "qos", "filters", "node", "reason"], "receivers"), CallRunner.One(data));
    }
}
