using Broker.Gateway.Plugins;
using Broker.Grains.Interfaces.Configuration;
using Broker.Grains.Interfaces.Nodes;

namespace Broker.Gateway.Admin.Resources;

/// <summary>This process's plugins, as EMQ X 4.x shows them.</summary>
internal sealed class LocalPlugins(PluginHost plugins, RememberedPlugins remembered) : INodeResource
{
    public const string Name = "plugins";

    public string Resource => Name;

    public ValueTask<NodePage> ReadAsync(string node, NodeQuery query)
    {
        var running = plugins.Running;
        var rows = plugins.Available().Select(name => NodePages.Write(node, json =>
        {
            json.WriteString("name", name);
            json.WriteString("description", "");
            json.WriteBoolean("active", running.Contains(name));
            json.WriteString("type", "feature");
        }).Rows[0]).ToArray();
        return ValueTask.FromResult(new NodePage(node, rows, rows.Length, HasMore: false));
    }

    public async Task<NodeResult> DoAsync(string node, NodeCommand command)
    {
        var name = command.Name;
        if (!plugins.Available().Contains(name) && !plugins.Running.Contains(name)) return new NodeResult(node, 0, "not_found");
        try
        {
            var wasRunning = plugins.Running.Contains(name);
            switch (command.Action)
            {
                case "load" when wasRunning: return new NodeResult(node, 0, "already_started");
                case "unload" when !wasRunning: return new NodeResult(node, 0, "not_started");
                case "unload": await plugins.UnloadAsync(name); break;
                case "reload":
                    await plugins.UnloadAsync(name);
                    await plugins.LoadAsync(name);
                    break;
                default: await plugins.LoadAsync(name); break;
            }

            await remembered.KeepAsync(name, command.Action != "unload");
            return new NodeResult(node, 1);
        }
        catch (StartException fault)
        {
            return new NodeResult(node, 0, fault.Message);
        }
    }
}

/// <summary>`/plugins`</summary>
internal sealed class PluginResource(ClusterNodes nodes) : IApiResource
{
    public IEnumerable<ApiEndpoint> Endpoints =>
    [
        new("GET", "/plugins", "list_all_plugins", "The plugins of all nodes", async _ => ApiAnswer.ByNode(await nodes.ReadAllAsync(new NodeQuery(LocalPlugins.Name, [])), LocalPlugins.Name)),
        new("GET", "/nodes/{node}/plugins", "list_node_plugins", "The plugins of a node", ListNodeAsync),
        new("PUT", "/nodes/{node}/plugins/{plugin}/load", "load_node_plugin", "Start a plugin on a node", call => TellOneAsync(call, "load")),
        new("PUT", "/nodes/{node}/plugins/{plugin}/unload", "unload_node_plugin", "Stop a plugin on a node", call => TellOneAsync(call, "unload")),
        new("PUT", "/nodes/{node}/plugins/{plugin}/reload", "reload_node_plugin", "Start a plugin anew on a node", call => TellOneAsync(call, "reload")),
        new("PUT", "/plugins/{plugin}/unload", "unload_plugin", "Stop a plugin on all nodes", call => TellAllAsync(call, "unload")),
        new("PUT", "/plugins/{plugin}/reload", "reload_plugin", "Start a plugin anew on all nodes", call => TellAllAsync(call, "reload")),
    ];

    private async Task<ApiAnswer> ListNodeAsync(ApiCall call)
    {
        var (page, isKnown) = await nodes.ReadOneAsync(call.Path("node"), new NodeQuery(LocalPlugins.Name, []));
        return !isKnown ? ApiAnswer.NotFound : page is null ? ApiAnswer.Unanswered : ApiAnswer.Rows(page.Rows);
    }

    private async Task<ApiAnswer> TellOneAsync(ApiCall call, string action)
    {
        var (result, isKnown) = await nodes.DoOneAsync(call.Path("node"), new NodeCommand(LocalPlugins.Name, action, call.Path("plugin"), []));
        return !isKnown ? ApiAnswer.NotFound : result is null ? ApiAnswer.Unanswered : result.Fault is { } fault ? ApiAnswer.Fault(fault) : ApiAnswer.Done;
    }

    private async Task<ApiAnswer> TellAllAsync(ApiCall call, string action)
    {
        var (results, unavailable) = await nodes.DoAllAsync(new NodeCommand(LocalPlugins.Name, action, call.Path("plugin"), []));
        if (unavailable.Length > 0) return ApiAnswer.Unanswered;
        return results.FirstOrDefault(one => one.Fault is not null) is { Fault: { } fault } ? ApiAnswer.Fault(fault) : ApiAnswer.Done;
    }
}
