using System.Text.Json;
using Broker.Gateway.Hosting;
using Broker.Gateway.Transport;
using Broker.Grains.Interfaces.Configuration;
using Broker.Grains.Interfaces.Nodes;

namespace Broker.Gateway.Admin.Resources;

/// <summary>This process's listeners, as EMQ X 4.x shows them.</summary>
internal sealed class LocalListeners(Listeners listeners, AdminPorts ports) : INodeResource
{
    public const string Name = "listeners";
    public const string Restart = "restart";

    public string Resource => Name;

    public ValueTask<NodePage> ReadAsync(string node, NodeQuery query)
    {
        byte[][] rows =
        [
            .. listeners.All.Select(one => NodePages.Write(node, json => Write(json, one)).Rows[0]),
            .. ports.All.Select(one => NodePages.Write(node, json => Write(json, one)).Rows[0]),
        ];
        return ValueTask.FromResult(new NodePage(node, rows, rows.Length, HasMore: false));
    }

    /// <summary>Closes its socket and opens it again. Connections stay.</summary>
    public async Task<NodeResult> DoAsync(string node, NodeCommand command)
    {
        if (listeners.All.FirstOrDefault(one => IdentifierOf(one) == command.Name) is not { } listener) return new NodeResult(node, 0);
        try
        {
            await listener.RestartAsync();
            return new NodeResult(node, 1);
        }
        catch (StartException fault)
        {
            return new NodeResult(node, 0, fault.Message);
        }
    }

    private static void Write(Utf8JsonWriter json, MqttListener listener)
    {
        var (options, info) = (listener.Setup.Options, listener.Setup.Info);
        json.WriteString("protocol", options.IsWebSocket ? $"mqtt:{KindOf(options)}:{info.Port}" : $"mqtt:{KindOf(options)}");
        json.WriteString("listen_on", options.Address == "*" ? $"0.0.0.0:{info.Port}" : $"{options.Address}:{info.Port}");
        json.WriteString("identifier", IdentifierOf(listener));
        json.WriteNumber("acceptors", 1);
        json.WriteNumber("max_conns", options.MaxConnections);
        json.WriteNumber("current_conns", info.Connections);
        json.WriteStartObject("shutdown_count");
        foreach (var (reason, count) in info.Ends.OrderBy(one => one.Key, StringComparer.Ordinal)) json.WriteNumber(reason, count);
        json.WriteEndObject();
    }

    /// <summary>The HTTP server's: it has no bound of its own, and does not say why connections ended.</summary>
    private static void Write(Utf8JsonWriter json, AdminPort port)
    {
        json.WriteString("protocol", $"{(port.IsSecure ? "https" : "http")}:{port.Name}");
        json.WriteString("listen_on", $"{(port.Address == "*" ? "0.0.0.0" : port.Address)}:{port.Port}");
        json.WriteNumber("acceptors", 1);
        json.WriteNumber("max_conns", 0);
        json.WriteNumber("current_conns", port.Connections);
        json.WriteStartObject("shutdown_count");
        json.WriteEndObject();
    }

    private static string IdentifierOf(MqttListener listener) => $"mqtt:{KindOf(listener.Setup.Options)}:{listener.Setup.Info.Name}";

    private static string KindOf(ListenerOptions options) => options.IsWebSocket ? options.IsSecure ? "wss" : "ws" : options.IsSecure ? "ssl" : "tcp";
}

/// <summary>`/listeners`</summary>
internal sealed class ListenerResource(ClusterNodes nodes) : IApiResource
{
    public IEnumerable<ApiEndpoint> Endpoints =>
    [
        new("GET", "/listeners", "list_listeners", "The listeners of all nodes", _ => ListAsync()),
        new("GET", "/nodes/{node}/listeners", "list_node_listeners", "The listeners of a node", ListNodeAsync),
        new("PUT", "/listeners/{identifier}/restart", "restart_listener", "Open a listener's socket anew on all nodes", RestartAsync),
        new("PUT", "/nodes/{node}/listeners/{identifier}/restart", "restart_node_listener", "Open a listener's socket anew on a node", RestartNodeAsync),
    ];

    private async Task<ApiAnswer> ListAsync() => ApiAnswer.ByNode(await nodes.ReadAllAsync(new NodeQuery(LocalListeners.Name, [])), LocalListeners.Name);

    private async Task<ApiAnswer> ListNodeAsync(ApiCall call)
    {
        var (page, isKnown) = await nodes.ReadOneAsync(call.Path("node"), new NodeQuery(LocalListeners.Name, []));
        return !isKnown ? ApiAnswer.NotFound : page is null ? ApiAnswer.Unanswered : ApiAnswer.Rows(page.Rows);
    }

    private async Task<ApiAnswer> RestartAsync(ApiCall call)
    {
        var identifier = call.Path("identifier");
        if (identifier.StartsWith("http", StringComparison.Ordinal)) return ApiAnswer.Plain(403, "\"http_listener_restart_unsupported\"");
        var (results, unavailable) = await nodes.DoAllAsync(new NodeCommand(LocalListeners.Name, LocalListeners.Restart, identifier, []));
        return unavailable.Length > 0 ? ApiAnswer.Unanswered : Judge(results);
    }

    private async Task<ApiAnswer> RestartNodeAsync(ApiCall call)
    {
        var (result, isKnown) = await nodes.DoOneAsync(call.Path("node"), new NodeCommand(LocalListeners.Name, LocalListeners.Restart, call.Path("identifier"), []));
        return !isKnown ? ApiAnswer.NotFound : result is null ? ApiAnswer.Unanswered : Judge([result]);
    }

    private static ApiAnswer Judge(NodeResult[] results) =>
        results.FirstOrDefault(one => one.Fault is not null) is { Fault: { } fault } ? ApiAnswer.Fault(fault)
        : results.All(one => one.Count == 0) ? ApiAnswer.Fault("no_such_listener")
        : ApiAnswer.Done;
}
