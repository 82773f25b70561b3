using System.Text.Json;
using Broker.Gateway.Modules;
using Broker.Grains.Interfaces.Nodes;

namespace Broker.Gateway.Admin.Resources;

/// <summary>`/modules`. A module is on or off on all nodes: what is said to one holds for all.</summary>
internal sealed class ModuleResource(Modules.Modules modules, INodeClient nodes) : IApiResource
{
    public IEnumerable<ApiEndpoint> Endpoints =>
    [
        new("GET", "/modules", "list_all_modules", "The modules of all nodes", _ => Task.FromResult(ListAll())),
        new("GET", "/nodes/{node}/modules", "list_node_modules", "The modules of a node", call => Task.FromResult(IsKnown(call) ? ApiAnswer.Data(Write) : ApiAnswer.NotFound)),
        .. Of("load", "Turn a module on", module => modules.IsActive(module) ? "already_started" : null),
        .. Of("unload", "Turn a module off", module => modules.IsActive(module) ? null : "not_started"),
        .. Of("reload", "Nothing: modules follow their settings and files by themselves", _ => null),
    ];

    /// <param name="fault">Why it cannot be done with a module; null if it can.</param>
    private IEnumerable<ApiEndpoint> Of(string action, string description, Func<Module, string?> fault) =>
    [
        new("PUT", $"/modules/{{module}}/{action}", $"{action}_module", description, call => DoAsync(call, action, fault)),
        new("PUT", $"/nodes/{{node}}/modules/{{module}}/{action}", $"{action}_node_module", description, call => IsKnown(call) ? DoAsync(call, action, fault) : Task.FromResult(ApiAnswer.NotFound)),
    ];

    private async Task<ApiAnswer> DoAsync(ApiCall call, string action, Func<Module, string?> fault)
    {
        if (modules.Find(call.Path("module")) is not { } module) return ApiAnswer.Fault("not_found");
        if (fault(module) is { } wrong) return ApiAnswer.Fault(wrong);
        if (action != "reload") await modules.SetAsync(module, action == "load");
        return ApiAnswer.Done;
    }

    private bool IsKnown(ApiCall call) => Array.Exists(nodes.Members, member => member.Name == call.Path("node"));

    private ApiAnswer ListAll() => ApiAnswer.Data(json =>
    {
        json.WriteStartArray();
        foreach (var member in nodes.Members)
        {
            json.WriteStartObject();
            json.WriteString("node", member.Name);
            json.WritePropertyName("modules");
            Write(json);
            json.WriteEndObject();
        }

        json.WriteEndArray();
    });

    private void Write(Utf8JsonWriter json)
    {
        json.WriteStartArray();
        foreach (var module in modules.All)
        {
            json.WriteStartObject();
            json.WriteString("name", module.Name);
            json.WriteString("description", module.Description);
            json.WriteBoolean("active", modules.IsActive(module));
            json.WriteEndObject();
        }

        json.WriteEndArray();
    }
}
