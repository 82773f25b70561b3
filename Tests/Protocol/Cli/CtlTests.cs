using System.Text.Json;
using Broker.Grains.Interfaces.Messages;
using Broker.Silo.Health;
using Broker.Tests.Protocol.Harness;
using Broker.Tests.Unit.Gateway.Cli;
using Microsoft.Extensions.DependencyInjection;
using Xunit;

namespace Broker.Tests.Protocol.Cli;

/// <summary>`broker ctl` with a broker: the commands do what they say.</summary>
public sealed class CtlTests(BrokerHost broker) : IClassFixture<BrokerHost>
{
    private const string Node = "broker@127.0.0.1";

    [Fact]
    public async Task BrokerTellsOfItself()
    {
        Assert.Equal($"Node {Node} is started|emqx is running", string.Join('|', (await DoAsync("status")).Select(line => line.Trim())));
        Assert.StartsWith($"{Node}\t", (await DoAsync("broker"))[1], StringComparison.Ordinal);
        Assert.Contains(await DoAsync("broker", "stats"), line => line.StartsWith($"{Node}\tconnections.count\t", StringComparison.Ordinal));
        Assert.Contains(await DoAsync("broker", "metrics"), line => line.StartsWith($"{Node}\tmessages.received\t", StringComparison.Ordinal));
        Assert.Equal($"{Node}\tRunning", string.Join('\t', (await DoAsync("cluster", "status"))[1].Split('\t')[..2]));
        Assert.Equal(2, (await DoAsync("nodes", "list")).Length);
        Assert.Contains(await DoAsync("nodes", "show", Node), line => line == $"node\t{Node}");
        foreach (var part in (string[])["load", "memory", "process", "io"]) Assert.Equal(2, (await DoAsync("vm", part)).Length);
        Assert.Contains(await DoAsync("vm", "all"), line => line.StartsWith($"{Node}.load1\t", StringComparison.Ordinal));
    }

    [Fact]
    public async Task ClientIsShownAndKicked()
    {
        await using var client = await RawClient.ConnectAsync(broker, "ctl/client");
        var row = Assert.Single(await DoAsync("clients", "list", "--like", "ctl/cl"), line => line.StartsWith("ctl/client\t", StringComparison.Ordinal));
        Assert.EndsWith($"\t{Node}", row, StringComparison.Ordinal);
        Assert.Contains("clientid\tctl/client", await DoAsync("clients", "show", "ctl/client"));
        Assert.Contains(await DoAsync("clients", "history", "ctl/client"), line => line.Contains("\tconnected\t", StringComparison.Ordinal));
        Assert.Equal("ctl/client", (await JsonAsync("clients", "list"))[0].GetProperty("clientid").GetString());
        Assert.Equal(["ok"], await DoAsync("clients", "kick", "ctl/client"));
        await client.ExpectDisconnectAsync(ReasonCode.AdministrativeAction);
        Assert.Equal((1, "Not found.\n"), await FailAsync("clients", "show", "ctl/client"));
        Assert.Equal(1, (await FailAsync("clients", "kick", "ctl/client")).Code);
    }

    [Fact]
    public async Task SubscriptionIsMade_AndLeadsToTheClient()
    {
        await using var client = await RawClient.ConnectAsync(broker, "ctl-subscriber");
        await DoAsync("subscriptions", "add", "ctl-subscriber", "ctl/+/x", "1");
        await Wait.UntilAsync(async () => (await DoAsync("subscriptions", "list", "--match", "ctl/#")).Length == 2, "the subscription is made");
        Assert.Equal($"ctl-subscriber\tctl/+/x\t1\t{Node}", (await DoAsync("subscriptions", "show", "ctl-subscriber"))[1]);
        Assert.Equal($"ctl/+/x\t{Node}", (await DoAsync("routes", "show", "ctl/+/x"))[1]);
        Assert.Contains($"ctl/+/x\t{Node}", await DoAsync("routes", "list"));
        var explained = await DoAsync("explain", "publish", "ctl/1/x", "--qos", "1");
        Assert.StartsWith("ctl-subscriber\tgets\t1\tctl/+/x\t", explained[^1], StringComparison.Ordinal);
        Assert.Equal(["ok"], await DoAsync("publish", "ctl/1/x", "hello", "--qos", "1"));
        Assert.Equal("hello", (await client.ExpectAsync(Broker.Gateway.Mqtt.Packets.PacketType.Publish)).Text);
        await DoAsync("subscriptions", "del", "ctl-subscriber", "ctl/+/x");
        await Wait.UntilAsync(async () => (await CtlAsync("subscriptions", "show", "ctl-subscriber")).Code == 1, "the subscription is gone");
    }

    [Fact]
    public async Task BansUsersAndRulesComeAndGo()
    {
        await DoAsync("banned", "add", "clientid", "ctl-banned", "--reason", "test");
        Assert.Contains(await DoAsync("banned", "list"), line => line.StartsWith("clientid\tctl-banned\ttest\t", StringComparison.Ordinal));
        await DoAsync("banned", "del", "clientid", "ctl-banned");
        Assert.DoesNotContain(await DoAsync("banned", "list"), line => line.Contains("ctl-banned", StringComparison.Ordinal));

        await DoAsync("user", "add", "ctl-user", "secret");
        Assert.Contains("ctl-user", await DoAsync("user", "list"));
        Assert.Equal((1, "existed\n"), await FailAsync("user", "add", "ctl-user", "secret"));
        await DoAsync("user", "update", "ctl-user", "other");
        await DoAsync("user", "delete", "ctl-user");
        Assert.Equal(1, (await FailAsync("user", "show", "ctl-user")).Code);
        await DoAsync("clientid", "add", "ctl-id", "secret");
        Assert.Contains("ctl-id", await DoAsync("clientid", "list"));
        await DoAsync("clientid", "delete", "ctl-id");

        await DoAsync("acl", "add", "clientid", "ctl-id", "ctl/#", "pubsub", "deny");
        await DoAsync("acl", "add", "_all", "ctl-all/x", "pub", "deny");
        Assert.Equal("ctl-id\tctl/#\tpubsub\tdeny", (await DoAsync("acl", "show", "clientid", "ctl-id"))[1]);
        Assert.Contains("\t\t$all\tctl-all/x\tpub\tdeny", await DoAsync("acl", "list"));
        await DoAsync("acl", "del", "clientid", "ctl-id", "ctl/#");
        await DoAsync("acl", "del", "_all", "ctl-all/x");
        Assert.Equal(["clientid\ttopic\taction\taccess"], await DoAsync("acl", "list", "clientid"));
        await DoAsync("acl", "cache-clean", "all");
        await DoAsync("acl", "cache-clean", "node", Node);
        Assert.Equal(1, (await FailAsync("acl", "cache-clean", "nobody")).Code);
    }

    [Fact]
    public async Task ModulesListenersAndTopicsAreOperated()
    {
        Assert.EndsWith("\tfalse", Assert.Single(await DoAsync("modules", "list"), line => line.StartsWith($"{Node}\temqx_mod_topic_metrics\t", StringComparison.Ordinal)), StringComparison.Ordinal);
        await DoAsync("modules", "load", "emqx_mod_topic_metrics");
        Assert.Equal((1, "already_started\n"), await FailAsync("modules", "load", "emqx_mod_topic_metrics"));
        await DoAsync("topic-metrics", "add", "ctl/counted");
        await DoAsync("publish", "ctl/counted", "x");
        Assert.Equal(1, (await JsonAsync("topic-metrics", "list"))[0].GetProperty("metrics").GetProperty("messages.in.count").GetInt64());
        await DoAsync("topic-metrics", "del", "ctl/counted");
        await DoAsync("modules", "unload", "emqx_mod_topic_metrics");
        var identifier = (await JsonAsync("listeners"))[0].GetProperty("listeners")[0].GetProperty("identifier").GetString()!;
        Assert.Contains(await DoAsync("listeners"), line => line.StartsWith($"{Node}\t{identifier}\t", StringComparison.Ordinal));
        Assert.Equal(["ok"], await DoAsync("listeners", "restart", identifier));
        Assert.Equal(1, (await FailAsync("listeners", "restart", "mqtt:tcp:nothing")).Code);
        Assert.Equal((1, "not_found\n"), await FailAsync("plugins", "load", "nothing"));
    }

    [Fact]
    public async Task ApplicationsAndUsersAreManaged_OnTheDashboardsPort()
    {
        var secret = (await DoAsync(true, "mgmt", "insert", "ctl", "name")).Single().Split('\t')[1];
        Assert.Equal(0, (await Ctl.RunAsync("--url", Url(false), "--app-id", "ctl", "--secret", secret, "nodes", "list")).Code);
        Assert.Equal(1, (await Ctl.RunAsync("--url", Url(false), "--app-id", "ctl", "--secret", "wrong", "nodes", "list")).Code);
        await DoAsync(true, "mgmt", "update", "ctl", "false");
        Assert.Equal(1, (await Ctl.RunAsync("--url", Url(false), "--app-id", "ctl", "--secret", secret, "nodes", "list")).Code);
        Assert.Contains(await DoAsync(true, "mgmt", "list"), line => line.StartsWith("ctl\tname\t", StringComparison.Ordinal));
        Assert.Contains("app_id\tctl", await DoAsync(true, "mgmt", "lookup", "ctl"));
        await DoAsync(true, "mgmt", "delete", "ctl");
        await DoAsync(true, "admins", "add", "ctladmin", "first", "boss");
        await DoAsync(true, "admins", "passwd", "ctladmin", "second", "--old", "first");
        Assert.Equal(0, (await Ctl.RunAsync("--url", Url(true), "--user", "ctladmin", "--password", "second", "clients", "list")).Code);
        Assert.Contains("ctladmin\tboss", await DoAsync(true, "admins", "list"));
        await DoAsync(true, "admins", "del", "ctladmin");
        Assert.Equal(1, (await Ctl.RunAsync("--url", Url(true), "admins", "del", "admin")).Code);
    }

    private string Url(bool isForUsers) => $"http://127.0.0.1:{(isForUsers ? broker.Services.GetRequiredService<AdminServer>().DashboardPort : broker.Services.GetRequiredService<AdminServer>().Port)}";

    private Task<CtlOutcome> CtlAsync(params string[] args) => Ctl.RunAsync(["--url", Url(false), .. args]);

    private Task<string[]> DoAsync(params string[] args) => DoAsync(false, args);

    private Task<string[]> DoAsync(bool isForUsers, params string[] args) => Ctl.SucceedAsync(["--url", Url(isForUsers), .. args]);

    private async Task<JsonElement> JsonAsync(params string[] args) => JsonDocument.Parse(string.Join('\n', await DoAsync([.. args, "--json"]))).RootElement;

    private async Task<(int Code, string Error)> FailAsync(params string[] args)
    {
        var outcome = await CtlAsync(args);
        Assert.Equal("", outcome.Out);
        return (outcome.Code, outcome.Error);
    }
}
