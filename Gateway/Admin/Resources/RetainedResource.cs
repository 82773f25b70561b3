using System.Text;
using Broker.Gateway.Links;
using Broker.Grains.Interfaces.Messages;
using Broker.Grains.Interfaces.Nodes;
using Broker.Grains.Interfaces.Retained;
using Broker.Grains.Interfaces.Routing;
using Broker.Grains.Interfaces.Topics;
using Microsoft.Extensions.Options;

namespace Broker.Gateway.Admin.Resources;

/// <summary>`/mqtt/retainer`: the retained messages. Deleting one is what an empty retained message does, but nobody gets that.</summary>
internal sealed class RetainedResource(ClusterNodes nodes, RetainedLinks retained, ShardMap map, IOptions<RetainedOptions> options, TimeProvider time) : IApiResource
{
    private const string TopicFilterName = "topic";
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);
    private static readonly HashSet<string> Names = [TopicFilterName, NodeResources.MatchTopic];

    public IEnumerable<ApiEndpoint> Endpoints =>
    [
        new("GET", "/mqtt/retainer", "retainer_info", "How many retained messages there are, and may be", _ => CountAsync()),
        new("GET", "/mqtt/retainer/messages", "list_retained", "The retained messages", ListAsync) { Filters = Names, IsPaged = true },
        new("DELETE", "/mqtt/retainer/messages", "delete_retained_messages", "Delete retained messages: those a filter matches, or all", DeleteManyAsync) { Filters = [NodeResources.MatchTopic], Sweeps = true },
        new("GET", "/mqtt/retainer/message/{topic}", "lookup_retained", "A retained message with its payload", FindAsync),
        new("DELETE", "/mqtt/retainer/message/{topic}", "delete_retained", "Delete a retained message", DeleteAsync),
    ];

    private async Task<ApiAnswer> CountAsync()
    {
        var answers = await nodes.ReadAllAsync(new NodeQuery(NodeResources.Retained, [], Limit: 0));
        return ApiAnswer.Data(json =>
        {
            json.WriteStartObject();
            json.WriteString("storage", "disc");
            json.WriteNumber("count", answers.Pages.Sum(page => page.Found));
            json.WriteNumber("max", options.Value.MaxMessages);
            json.WriteEndObject();
        }, answers.Unavailable);
    }

    private async Task<ApiAnswer> ListAsync(ApiCall call)
    {
        var filters = call.Filters(Names);
        if (filters.Length > 1) throw new ApiException(ResultCode.BadParameter, $"either {TopicFilterName} or {NodeResources.MatchTopic}");
        if (Array.Find(filters, one => one.Key == TopicFilterName).Value is { } topic) Parse(topic);
        var paging = call.Paging();
        return ApiAnswer.Found(await nodes.PageAsync([NodeResources.Retained], filters, paging), null, paging);
    }

    private async Task<ApiAnswer> FindAsync(ApiCall call)
    {
        if (await FindAsync(Parse(call.Path("topic"))) is not { } message) return Missing();
        return ApiAnswer.Data(json =>
        {
            json.WriteStartObject();
            json.WriteString("topic", message.Topic.Text);
            json.WriteNumber("qos", (int)message.Qos);
            json.WriteString("from_clientid", message.PublisherId);
            json.WriteNumber("payload_bytes", message.Payload.Length);
            json.WriteBase64String("payload", message.Payload);
            if (message.ExpiresAt != 0) json.WriteString("expires_at", DateTimeOffset.FromUnixTimeMilliseconds(message.ExpiresAt));
            json.WriteEndObject();
        });
    }

    private async Task<ApiAnswer> DeleteAsync(ApiCall call)
    {
        var topic = Parse(call.Path("topic"));
        if (await FindAsync(topic) is null) return Missing();
        var receipt = new TaskReceipt();
        retained.Store(map.ShardOf(topic), new ApplicationMessage { Topic = topic, Payload = [], Qos = Qos.AtLeastOnce, Retain = true }, receipt);
        receipt.Answer(ReasonCode.Success); // all who must answer are known
        var code = await receipt.Completion.WaitAsync(Patience, time);
        return code >= ReasonCode.UnspecifiedError ? ApiAnswer.Fault(ResultCode.Unknown, $"the message could not be deleted: {code}") : ApiAnswer.Done;
    }

    /// <summary>Every process deletes what it has, a part at a time, until it finds no more than fits into a part.</summary>
    private async Task<ApiAnswer> DeleteManyAsync(ApiCall call)
    {
        var filters = call.Find(NodeResources.MatchTopic) is { } text ? new KeyValuePair<string, string>[] { new(NodeResources.MatchTopic, text) } : [];
        if (filters.Length > 0 && (!TopicFilter.TryParse(filters[0].Value, out var filter) || filter.IsGrouped)) return ApiAnswer.Fault(ResultCode.BadTopic, "bad_topic");
        var command = new NodeCommand(NodeResources.Retained, NodeResources.DeleteRetained, "", filters);
        var deleted = 0L;
        for (var found = 1L; found > 0; deleted += found)
        {
            call.Http.RequestAborted.ThrowIfCancellationRequested();
            var (results, unavailable) = await nodes.DoAllAsync(command);
            if (Array.Find(results, result => result.Fault is not null)?.Fault is { } fault) return ApiAnswer.Fault(ResultCode.Unknown, fault);
            if (unavailable.Length > 0) return ApiAnswer.Fault(ResultCode.NodeFailed, $"not all could be deleted: {string.Join(", ", unavailable)} does not answer");
            found = results.Sum(result => result.Count);
        }

        return ApiAnswer.Data(json =>
        {
            json.WriteStartObject();
            json.WriteNumber("deleted", deleted);
            json.WriteEndObject();
        });
    }

    /// <returns>Null if there is none.</returns>
    private async Task<ApplicationMessage?> FindAsync(TopicName topic)
    {
        // A name that would be a grouped filter matches another topic than its own.
        if (!TopicFilter.TryParse(topic.Text, out var filter) || filter.IsGrouped) return null;
        var page = await retained.MatchAsync(map.ShardOf(topic), filter, null, 1);
        return page.Messages.FirstOrDefault();
    }

    /// <exception cref="ApiException">It is no topic.</exception>
    private static TopicName Parse(string text) => TopicName.TryParse(Encoding.UTF8.GetBytes(text), out var topic) ? topic : throw new ApiException(ResultCode.BadTopic, "bad_topic");

    private static ApiAnswer Missing() => ApiAnswer.Fault(ResultCode.NotFound, "not_found");
}
