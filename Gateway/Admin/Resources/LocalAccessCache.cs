using System.Globalization;
using System.Text.Json.Serialization;
using Broker.Gateway.Mqtt;
using Broker.Gateway.Security;
using Broker.Grains.Interfaces.Nodes;
using DotNetty.Common.Concurrency;

namespace Broker.Gateway.Admin.Resources;

/// <summary>An answer that is remembered, as EMQ X 4.x shows it.</summary>
/// <param name="UpdatedTime">When the source was asked, in Unix milliseconds.</param>
internal sealed record AccessRow(string Access, string Topic, string Result, long UpdatedTime);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower)]
[JsonSerializable(typeof(AccessRow))]
internal sealed partial class AccessJson : JsonSerializerContext;

/// <summary>What this process's connections remember of access rules.</summary>
internal sealed class LocalAccessCache(ConnectionTable connections, AnswerEpoch epoch) : INodeResource
{
    public string Resource => NodeResources.AccessCache;

    public async ValueTask<NodePage> ReadAsync(string node, NodeQuery query)
    {
        if (query.Filters is not [{ Key: NodeResources.ConnectionFilter, Value: var number }]) return new NodePage(node, [], 0, HasMore: false);
        if (connections.Find(ulong.Parse(number, CultureInfo.InvariantCulture)) is not { Access: { } access } connection) return new NodePage(node, [], 0, HasMore: false);
        try
        {
            var remembered = await connection.Loop.AskAsync(() => access.Remembered());
            return NodePages.Select(
                node, query, remembered, one => new AccessRow(one.Access == TopicAccess.Publish ? "publish" : "subscribe", one.Topic, one.IsAllowed ? "allow" : "deny", one.AskedMs), AccessJson.Default.AccessRow);
        }
        catch (RejectedExecutionException)
        {
            return new NodePage(node, [], 0, HasMore: false); // the gateway stops
        }
    }

    /// <summary>Forgets all.</summary>
    public Task<NodeResult> DoAsync(string node, NodeCommand command)
    {
        epoch.Next();
        return Task.FromResult(new NodeResult(node, 1));
    }
}
