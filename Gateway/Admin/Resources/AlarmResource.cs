using System.Text.Json;
using Broker.Gateway.Alarms;
using Broker.Grains.Interfaces.Nodes;

namespace Broker.Gateway.Admin.Resources;

/// <summary>The alarms of this process.</summary>
internal sealed class LocalAlarms(AlarmBook book) : INodeResource
{
    public const string Name = "alarms";
    public const string Deactivate = "deactivate";
    public const string Forget = "forget";

    /// <summary>Filter: `activated`, `deactivated`, or both without it.</summary>
    public const string State = "state";

    /// <summary>Filter: in the form of 4.0 and 4.1.</summary>
    public const string Old = "old";

    public string Resource => Name;

    public ValueTask<NodePage> ReadAsync(string node, NodeQuery query)
    {
        string? Filter(string name) => query.Filters.FirstOrDefault(one => one.Key == name).Value;
        var (state, now) = (Filter(State), book.NowUs);
        Action<Utf8JsonWriter, Alarm> write = Filter(Old) is null ? (json, alarm) => AlarmJson.Write(json, alarm, now) : AlarmJson.WriteOld;
        Alarm[] alarms = [.. state == "deactivated" ? [] : book.Active, .. state == "activated" ? [] : book.History];
        return ValueTask.FromResult(new NodePage(node, [.. alarms.Select(alarm => AlarmJson.Serialize(json => write(json, alarm)))], alarms.Length, HasMore: false));
    }

    public Task<NodeResult> DoAsync(string node, NodeCommand command) => Task.FromResult(command.Action switch
    {
        Deactivate => new NodeResult(node, book.Deactivate(command.Name) ? 1 : 0),
        Forget => new NodeResult(node, book.ForgetHistory()),
        _ => new NodeResult(node, 0, $"'{command.Action}' is not known"),
    });
}

/// <summary>`/alarms`: what is wrong and what was, on all nodes.</summary>
internal sealed class AlarmResource(ClusterNodes nodes) : IApiResource
{
    public IEnumerable<ApiEndpoint> Endpoints =>
    [
        new("GET", "/alarms", "list_all_alarms", "All alarms of all nodes", _ => ListAsync()),
        new("GET", "/alarms/activated", "list_all_activated_alarms", "What is wrong now", _ => ListAsync("activated")),
        new("GET", "/alarms/deactivated", "list_all_deactivated_alarms", "What was wrong", _ => ListAsync("deactivated")),
        new("GET", "/nodes/{node}/alarms", "list_node_alarms", "All alarms of a node", call => OfNodeAsync(call)),
        new("GET", "/nodes/{node}/alarms/activated", "list_node_activated_alarms", "What is wrong now on a node", call => OfNodeAsync(call, "activated")),
        new("GET", "/nodes/{node}/alarms/deactivated", "list_node_deactivated_alarms", "What was wrong on a node", call => OfNodeAsync(call, "deactivated")),
        new("POST", "/alarms/deactivated", "deactivate_alarm", "Say that an alarm is over", DeactivateAsync) { Members = ["node!", "name!"] },
        new("DELETE", "/alarms/deactivated", "delete_all_deactivated_alarms", "Forget what was wrong", _ => ForgetAsync()) { Sweeps = true },
        new("DELETE", "/nodes/{node}/alarms/deactivated", "delete_node_deactivated_alarms", "Forget what was wrong on a node", ForgetAsync) { Sweeps = true },
        new("GET", "/alarms/present", "list_alarms", "What is wrong now, in the form of 4.0 and 4.1", _ => ListAsync("activated", isOld: true)),
        new("GET", "/alarms/present/{node}", "get_alarms", "The same of a node", call => OfNodeAsync(call, "activated", isOld: true)),
        new("GET", "/alarms/history", "list_alarms_history", "What was wrong, in the form of 4.0 and 4.1", _ => ListAsync("deactivated", isOld: true)),
        new("GET", "/alarms/history/{node}", "get_alarms_history", "The same of a node", call => OfNodeAsync(call, "deactivated", isOld: true)),
    ];

    private static NodeQuery Query(string? state, bool isOld)
    {
        List<KeyValuePair<string, string>> filters = [];
        if (state is not null) filters.Add(new(LocalAlarms.State, state));
        if (isOld) filters.Add(new(LocalAlarms.Old, "true"));
        return new NodeQuery(LocalAlarms.Name, [.. filters]);
    }

    private async Task<ApiAnswer> ListAsync(string? state = null, bool isOld = false) => ApiAnswer.ByNode(await nodes.ReadAllAsync(Query(state, isOld)), "alarms");

    private async Task<ApiAnswer> OfNodeAsync(ApiCall call, string? state = null, bool isOld = false)
    {
        var (page, isKnown) = await nodes.ReadOneAsync(call.Path("node"), Query(state, isOld));
        return !isKnown ? ApiAnswer.NotFound : page is null ? ApiAnswer.Unanswered : ApiAnswer.Rows(page.Rows);
    }

    private async Task<ApiAnswer> DeactivateAsync(ApiCall call)
    {
        if (call.Find("node") is not { Length: > 0 } node || call.Find("name") is not { Length: > 0 } name) return ApiAnswer.Fault("missing_param");
        var (result, isKnown) = await nodes.DoOneAsync(node, new NodeCommand(LocalAlarms.Name, LocalAlarms.Deactivate, name, []));
        return !isKnown ? ApiAnswer.Fault("not_found") : result is null ? ApiAnswer.Unanswered : result.Count == 0 ? ApiAnswer.Fault("not_found") : ApiAnswer.Done;
    }

    private async Task<ApiAnswer> ForgetAsync()
    {
        var (_, unavailable) = await nodes.DoAllAsync(Forgetting);
        return unavailable.Length > 0 ? ApiAnswer.Fault(ResultCode.NodeFailed, $"no answer from {string.Join(", ", unavailable)}") : ApiAnswer.Done;
    }

    private async Task<ApiAnswer> ForgetAsync(ApiCall call)
    {
        var (result, isKnown) = await nodes.DoOneAsync(call.Path("node"), Forgetting);
        return !isKnown ? ApiAnswer.NotFound : result is null ? ApiAnswer.Unanswered : ApiAnswer.Done;
    }

    private static NodeCommand Forgetting => new(LocalAlarms.Name, LocalAlarms.Forget, "", []);
}
