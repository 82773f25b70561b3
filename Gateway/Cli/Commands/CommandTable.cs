namespace Broker.Gateway.Cli.Commands;

/// <summary>All commands of `broker ctl`, named as in EMQ X 4.x's `emqx_ctl` where it has them.</summary>
internal static class CommandTable
{
    public static IEnumerable<CtlCommand> All =>
    [
        .. NodeCommands.All, .. ClientCommands.All, .. MessageCommands.All, .. AccessCommands.All, .. UserCommands.All, .. OperationCommands.All, .. DataCommands.All, .. TraceCommands.All,
        .. ConfigurationCommands.All, .. LogCommands.All, CompletionCommand,
    ];

    /// <summary>What the first words stand for.</summary>
    public static IReadOnlyDictionary<string, string> GroupHelp { get; } = new Dictionary<string, string>
    {
        ["cluster"] = "the members of the cluster",
        ["nodes"] = "the processes of the cluster",
        ["clients"] = "connected clients, and durable sessions whose clients are away",
        ["routes"] = "topic filters and the nodes they lead to",
        ["subscriptions"] = "who has subscribed to what",
        ["plugins"] = "plugins of the nodes",
        ["modules"] = "parts of the broker that can be turned on and off",
        ["vm"] = "load, memory and limits of the processes",
        ["banned"] = "who may not connect",
        ["mgmt"] = "applications that may call the HTTP API",
        ["admins"] = "users of the dashboard",
        ["data"] = "export and import of rules, users and settings",
        ["acl"] = "access rules of the broker's own",
        ["clientid"] = "built-in users known by client identifier",
        ["user"] = "built-in users known by user name",
        ["sasl"] = "users of enhanced authentication",
        ["topic-metrics"] = "what goes over single topics",
        ["trace"] = "what is recorded of a client, a topic or an address",
        ["retainer"] = "retained messages",
        ["delayed"] = "messages that wait for their time",
        ["alarms"] = "what the broker complains of",
        ["slow-subs"] = "clients that take messages slowly",
        ["audit"] = "who has changed what",
        ["explain"] = "what would happen, and why",
        ["config"] = "settings of the whole cluster",
        ["log"] = "how much is logged",
    };

    private static CtlCommand CompletionCommand => CtlCommand.Of("completion <shell:bash|zsh|fish>", "the script that completes this command line in a shell", call =>
    {
        call.Console.Out.WriteLine(Completion.ScriptOf(call["shell"]));
        return Task.CompletedTask;
    });
}
