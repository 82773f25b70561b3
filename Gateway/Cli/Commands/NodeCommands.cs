using System.Text;
using System.Text.Json;

namespace Broker.Gateway.Cli.Commands;

/// <summary>The processes of the cluster: how they are, what they have counted, what they listen on.</summary>
internal static class NodeCommands
{
    private const string Membership =
        "A process becomes a member by naming the cluster's database when it starts (--Cluster:ConnectionString), and stops being one when it stops. There is nothing to join by command.";

    public static IEnumerable<CtlCommand> All =>
    [
        CtlCommand.Of("status", "whether the broker runs", StatusAsync),
        CtlCommand.List("broker", "/brokers", "node version sysdescr uptime datetime node_status", "version and uptime of the nodes"),
        CtlCommand.List("broker stats [--node NODE]", "[/nodes/{node}]/stats", "", "what the nodes hold, each with its maximum"),
        CtlCommand.List("broker metrics [--node NODE]", "[/nodes/{node}]/metrics", "", "what the nodes have counted"),
        CtlCommand.List("cluster status", "/nodes", "node node_status version uptime", "the members of the cluster"),
        CtlCommand.Of("cluster join [node]", "explains how a process joins", _ => throw CtlException.Usage(Membership)),
        CtlCommand.Of("cluster leave", "explains how a process leaves", _ => throw CtlException.Usage(Membership)),
        CtlCommand.Of("cluster force-leave [node]", "explains how a dead process leaves", _ => throw CtlException.Usage($"{Membership} One that has died is missed, and its part taken over, in seconds.")),
        CtlCommand.List("nodes list", "/nodes", "node node_status version uptime connections load1 memory_used memory_total max_fds", "the processes of the cluster"),
        CtlCommand.Show("nodes show <node>", "/nodes/{node}", "one process"),
        CtlCommand.Of("vm all", "all of the below, and the answering node's runtime", VmAsync),
        CtlCommand.List("vm load", "/nodes", "node load1 load5 load15", "load averages"),
        CtlCommand.List("vm memory", "/nodes", "node memory_used memory_total", "memory"),
        CtlCommand.List("vm process", "/nodes", "node process_used process_available", "threads of the process"),
        CtlCommand.List("vm ports", "/nodes", "node connections max_fds", "connections and file descriptors"),
        CtlCommand.List("vm io", "/nodes", "node connections max_fds", "connections and file descriptors"),
        CtlCommand.List("listeners", "/listeners", "node identifier protocol listen_on max_conns current_conns", "what the nodes listen on"),
        CtlCommand.List("listeners list [--node NODE]", "[/nodes/{node}]/listeners", "", "what the nodes listen on, and why connections have ended"),
        CtlCommand.Put("listeners restart <identifier> [--node NODE]", "[/nodes/{node}]/listeners/{identifier}/restart", "", "opens a listener's socket anew; its connections stay"),
        CtlCommand.Of("listeners stop <identifier>", "closes a listener and its connections, on all nodes, until it is started", call => TurnAsync(call, isOn: false)),
        CtlCommand.Of("listeners start <identifier>", "opens a listener that was stopped, on all nodes", call => TurnAsync(call, isOn: true)),
        CtlCommand.List("plugins list [--node NODE]", "[/nodes/{node}]/plugins", "", "plugins"),
        .. Plugin("load", "starts a plugin"),
        .. Plugin("unload", "stops a plugin"),
        .. Plugin("reload", "starts a plugin anew"),
        CtlCommand.List("modules list [--node NODE]", "[/nodes/{node}]/modules", "", "modules"),
        CtlCommand.Put("modules load <module>", "/modules/{module}/load", "", "turns a module on, on all nodes"),
        CtlCommand.Put("modules unload <module>", "/modules/{module}/unload", "", "turns a module off, on all nodes"),
        CtlCommand.Put("modules reload <module>", "/modules/{module}/reload", "", "has a module read its settings again"),
    ];

    private static IEnumerable<CtlCommand> Plugin(string action, string help) =>
        [CtlCommand.Put($"plugins {action} <plugin> [--node NODE]", $"/nodes/{{node}}/plugins/{{plugin}}/{action}", "", $"{help}, on all nodes unless one is named") with { OnEachNode = true }];

    /// <summary>A listener is set by its name, the last part of `mqtt:tcp:default`.</summary>
    private static async Task TurnAsync(CtlCall call, bool isOn)
    {
        var parts = call["identifier"].Split(':');
        if (parts is ["http" or "https", ..]) throw CtlException.Usage("What this command line calls cannot be stopped by it.");
        var key = $"Listeners:{parts[^1]}";
        // One that is stopped is among the settings alone.
        var known = await call.Api.ReadAsync($"/v5/configuration?section={Uri.EscapeDataString(key)}", call.Cancellation);
        if (known.GetProperty("settings").GetArrayLength() == 0) throw CtlException.Refused("Not found.");
        await ConfigurationCommands.PutAsync(call, $"{key}:Enabled", isOn ? "true" : "false");
    }

    private static async Task StatusAsync(CtlCall call)
    {
        var text = Encoding.UTF8.GetString(await call.Api.SendAsync("GET", "/status", null, call.Cancellation)).Trim();
        call.Output.Done(text, Object(json => json.WriteString("status", text)));
        if (!text.EndsWith("is running", StringComparison.Ordinal)) throw CtlException.Refused("It does not serve clients.");
    }

    private static async Task VmAsync(CtlCall call)
    {
        var nodes = await call.Api.ReadAsync("/nodes", call.Cancellation);
        var runtime = await call.Api.ReadAsync("/emqx_prometheus?type=json", call.Cancellation);
        call.Output.Show(Object(json =>
        {
            foreach (var node in nodes.EnumerateArray())
            {
                json.WritePropertyName(node.GetProperty("node").GetString()!);
                node.WriteTo(json);
            }

            if (runtime.ValueKind != JsonValueKind.Object || !runtime.TryGetProperty("metrics", out var metrics)) return;
            json.WritePropertyName("runtime");
            metrics.WriteTo(json);
        }));
    }

    private static JsonElement Object(Action<Utf8JsonWriter> members) => JsonDocument.Parse(JsonText.Write(json =>
    {
        json.WriteStartObject();
        members(json);
        json.WriteEndObject();
    })).RootElement;
}
