using System.Globalization;
using System.Text;
using System.Text.Json.Serialization;
using Broker.Gateway.Links;
using Broker.Gateway.Modules;
using Broker.Gateway.Mqtt;
using Broker.Gateway.Security;
using Broker.Grains.Interfaces.Delayed;
using Broker.Grains.Interfaces.Nodes;
using Broker.Grains.Interfaces.Sessions;
using Broker.Grains.Interfaces.Topics;
using DotNetty.Common.Concurrency;

namespace Broker.Gateway.Admin.Resources;

/// <summary>Somebody whose subscription matches, as far as its process knows.</summary>
/// <param name="Options">How it is subscribed.</param>
/// <param name="Queued">Messages that wait for it.</param>
/// <param name="MaxQueued">Most that may; 0 is no bound.</param>
internal sealed record Receiver(string ClientId, string Filter, SubscriptionOptions Options, int Queued, int MaxQueued);

[JsonSerializable(typeof(Receiver))]
internal sealed partial class ReceiverJson : JsonSerializerContext;

/// <summary>Which transient sessions of this process are behind its routes.</summary>
internal sealed class LocalReceivers(GatewayLoops loops) : INodeResource
{
    public const string Name = "receivers";

    /// <summary>Filter: the number of a route; there may be several.</summary>
    public const string Route = "route";

    public string Resource => Name;

    public async ValueTask<NodePage> ReadAsync(string node, NodeQuery query)
    {
        var found = new List<Receiver>();
        foreach (var route in query.Filters.Where(one => one.Key == Route).Select(one => ulong.Parse(one.Value, CultureInfo.InvariantCulture)))
        {
            if (RouteId.Loop(route) >= loops.All.Count) continue;
            try
            {
                var loop = loops.All[RouteId.Loop(route)];
                found.AddRange(await loop.AskAsync(() => Read(loop, route, query.Limit)));
            }
            catch (RejectedExecutionException)
            {
                break; // the gateway stops
            }
        }

        return NodePages.Select(node, query, found, one => one, ReceiverJson.Default.Receiver);
    }

    private static Receiver[] Read(LoopContext loop, ulong route, int limit)
    {
        if (loop.Filters.Find(route) is not { } filter) return [];
        return [.. Enumerable.Range(0, Math.Min(filter.Count, limit)).Select(at => filter[at]).Select(one => Describe(filter, one))];
    }

    private static Receiver Describe(LocalFilter filter, Subscriber one)
    {
        var counts = one.Session!.Counts;
        return new Receiver(one.Session.ClientId, filter.Filter.Text, one.Options, counts.Queued, counts.Limits?.MaxQueueLength ?? 0);
    }
}

/// <summary>What a client of this process may publish, and where that goes.</summary>
internal sealed class LocalPublishers(ConnectionTable connections, Authorization authorization, TopicRewrite rewrite, MessageRouter router) : INodeResource
{
    public const string Name = "publishers";

    /// <summary>Filter: the topic, as the client writes it.</summary>
    public const string Topic = "topic";

    public string Resource => Name;

    public async ValueTask<NodePage> ReadAsync(string node, NodeQuery query)
    {
        string Filter(string name) => query.Filters.First(one => one.Key == name).Value;
        if (connections.Find(ulong.Parse(Filter(NodeResources.ConnectionFilter), CultureInfo.InvariantCulture)) is not { Client: { } client } connection) return new NodePage(node, [], 0, HasMore: false);
        var topic = Filter(Topic);
        var decision = await authorization.ExplainAsync(client, TopicAccess.Publish, topic);
        return NodePages.Write(node, json =>
        {
            json.WriteString("clientid", client.ClientId);
            json.WriteString("node", node);
            json.WriteBoolean("allowed", decision.IsAllowed);
            json.WriteString("source", decision.Source);
            json.WriteString("rule", decision.Rule);
            json.WriteString("topic", Mount(connection.Mountpoint, rewrite.OfPublish(topic, client)));
        });
    }

    /// <summary>Where messages wait the mountpoint stands before the topic that they will have.</summary>
    private string Mount(string mountpoint, string topic) =>
        router.Delays && TopicName.TryParse(Encoding.UTF8.GetBytes(topic), out var name) && DelayedTopic.Is(name) && DelayedTopic.Mount(name, Encoding.UTF8.GetBytes(mountpoint)) is { } mounted
            ? mounted.Text
            : mountpoint + topic;
}
