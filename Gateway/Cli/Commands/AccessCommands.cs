namespace Broker.Gateway.Cli.Commands;

/// <summary>The broker's own access rules and users, and what is remembered of access.</summary>
internal static class AccessCommands
{
    public static IEnumerable<CtlCommand> All =>
    [
        CtlCommand.Of("acl list", "access rules: of client identifiers, of user names, for everybody", ListAsync),
        CtlCommand.Pages("acl list clientid", "/acl/clientid", "clientid topic action access", "the rules of client identifiers"),
        CtlCommand.Pages("acl list username", "/acl/username", "username topic action access", "the rules of user names"),
        CtlCommand.Pages("acl list _all", "/acl/$all", "all topic action access", "the rules for everybody"),
        CtlCommand.List("acl show clientid <clientid>", "/acl/clientid/{clientid}", "clientid topic action access", "the rules of a client identifier") with { IsOne = true },
        CtlCommand.List("acl show username <username>", "/acl/username/{username}", "username topic action access", "the rules of a user name") with { IsOne = true },
        CtlCommand.Post("acl add clientid <clientid> <topic> <action:pub|sub|pubsub> <access:allow|deny>", "/acl", "clientid topic action access", "adds a rule for a client identifier"),
        CtlCommand.Post("acl add username <username> <topic> <action:pub|sub|pubsub> <access:allow|deny>", "/acl", "username topic action access", "adds a rule for a user name"),
        CtlCommand.Post("acl add _all <topic> <action:pub|sub|pubsub> <access:allow|deny>", "/acl", "topic action access", "adds a rule for everybody"),
        .. Removals("del"),
        .. Removals("delete"),
        CtlCommand.Delete("acl cache-clean <clientid>", "/clients/{clientid}/acl_cache", "forgets what is remembered for a client"),
        CtlCommand.Delete("acl cache-clean client <clientid>", "/clients/{clientid}/acl_cache", "forgets what is remembered for a client"),
        CtlCommand.Delete("acl cache-clean all", "/acl-cache", "forgets what is remembered for all clients"),
        CtlCommand.Delete("acl cache-clean node <node>", "/nodes/{node}/acl-cache", "forgets what is remembered for the clients of a node"),
        .. Users("clientid", "clientid", "/auth_clientid"),
        .. Users("user", "username", "/auth_username"),
        CtlCommand.Post("sasl scram add <username> <password> <salt> [iterations]", "/sasl", "mechanism=SCRAM-SHA-1 username password salt iteration_count:iterations#", "adds a user of SCRAM"),
        CtlCommand.Put("sasl scram update <username> <password> <salt> [iterations]", "/sasl", "mechanism=SCRAM-SHA-1 username password salt iteration_count:iterations#", "changes one"),
        CtlCommand.Delete("sasl scram delete <username>", "/sasl?mechanism=SCRAM-SHA-1&username={username}", "removes one"),
        CtlCommand.Show("sasl scram lookup <username>", "/sasl?mechanism=SCRAM-SHA-1&username={username}", "shows one"),
        CtlCommand.Show("sasl scram list", "/sasl?mechanism=SCRAM-SHA-1", "shows who there is"),
    ];

    private static IEnumerable<CtlCommand> Removals(string word) =>
    [
        CtlCommand.Delete($"acl {word} clientid <clientid> <topic>", "/acl/clientid/{clientid}/topic/{topic}", "removes the rules of a client identifier for a topic"),
        CtlCommand.Delete($"acl {word} username <username> <topic>", "/acl/username/{username}/topic/{topic}", "removes the rules of a user name for a topic"),
        CtlCommand.Delete($"acl {word} _all <topic>", "/acl/$all/topic/{topic}", "removes the rules for everybody for a topic"),
    ];

    /// <param name="word">The command.</param>
    /// <param name="member">What such a user is known by.</param>
    private static IEnumerable<CtlCommand> Users(string word, string member, string path) =>
    [
        CtlCommand.Pages($"{word} list", path, member, "lists the built-in users"),
        CtlCommand.Show($"{word} show <{member}>", $"{path}/{{{member}}}", "shows one"),
        CtlCommand.Post($"{word} add <{member}> <password>", path, $"{member} password", "adds one"),
        CtlCommand.Put($"{word} update <{member}> <password>", $"{path}/{{{member}}}", "password", "changes the password of one"),
        CtlCommand.Delete($"{word} delete <{member}>", $"{path}/{{{member}}}", "removes one"),
    ];

    private static Task ListAsync(CtlCall call)
    {
        return call.Output.ShowAsync(new Output.RowShape(["clientid", "username", "all", "topic", "action", "access"], ""), AllAsync());

        async IAsyncEnumerable<System.Text.Json.JsonElement> AllAsync()
        {
            foreach (var path in (string[])["/acl/clientid", "/acl/username", "/acl/$all"])
            {
                await foreach (var page in CallRunner.PagesAsync(call, path)) yield return page;
            }
        }
    }
}
