using Broker.Grains.Interfaces.Nodes;

namespace Broker.Gateway.Admin.Resources;

/// <summary>`/mqtt/delayed/messages`: messages that wait for their time, in the whole cluster.</summary>
internal sealed class DelayedMessages(ClusterNodes nodes) : IApiResource
{
    private static readonly string[] Kinds = [NodeResources.Delayed];
    private static readonly HashSet<string> Filters = ["topic", "_match_topic"];

    public IEnumerable<ApiEndpoint> Endpoints =>
    [
        new("GET", "/mqtt/delayed/messages", "list_delayed_messages", "The messages that wait for their time", ListAsync) { Filters = Filters, IsPaged = true },
        new("GET", "/mqtt/delayed/messages/{msgid}", "lookup_delayed_message", "A message that waits, with its payload", call => FindAsync(call.Path("msgid"))),
        new("DELETE", "/mqtt/delayed/messages/{msgid}", "delete_delayed_message", "Take out a message that waits", call => DeleteAsync(call.Path("msgid"))),
    ];

    private static ApiAnswer Unknown => ApiAnswer.Fault(ResultCode.NotFound, "not_found");

    private async Task<ApiAnswer> ListAsync(ApiCall call)
    {
        var paging = call.Paging();
        return ApiAnswer.Page((await nodes.PageAsync(Kinds, call.Filters(Filters), paging))!, paging, tellsMore: true);
    }

    private async Task<ApiAnswer> FindAsync(string id)
    {
        var (pages, unavailable) = await nodes.ReadAllAsync(new NodeQuery(NodeResources.Delayed, [new(NodeResources.DelayedId, id)]));
        if (pages.SelectMany(page => page.Rows).FirstOrDefault() is { } row) return ApiAnswer.Data(json => json.WriteRow(row));
        return unavailable.Length > 0 ? ApiAnswer.Unanswered : Unknown;
    }

    private async Task<ApiAnswer> DeleteAsync(string id)
    {
        var (results, unavailable) = await nodes.DoAllAsync(new NodeCommand(NodeResources.Delayed, "delete", id, []));
        if (results.Sum(result => result.Count) > 0) return ApiAnswer.Done;
        return unavailable.Length > 0 ? ApiAnswer.Unanswered : Unknown;
    }
}
