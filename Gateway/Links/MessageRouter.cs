using Broker.Grains.Interfaces.Messages;
using Broker.Grains.Interfaces.Metrics;
using Broker.Grains.Interfaces.Plugins;
using Broker.Grains.Interfaces.Retained;
using Broker.Grains.Interfaces.Routing;
using Broker.Grains.Interfaces.Sessions;
using Broker.Grains.Interfaces.Topics;
using Microsoft.Extensions.Options;

namespace Broker.Gateway.Links;

/// <summary>A topic that a publisher uses, and what is known about where its messages go.</summary>
/// <param name="name">The topic, mountpoint included.</param>
/// <param name="shard">Its shard.</param>
internal sealed class TopicRoute(TopicName name, int shard)
{
    public TopicName Name { get; } = name;

    public int Shard { get; } = shard;

    /// <summary>The match last found; asked whether it is current before each use.</summary>
    public IShardMatch? Match { get; set; }
}

/// <summary>The one way into the cluster for every message of this gateway: shard and retained store, then this gateway's own sessions.</summary>
internal sealed class MessageRouter(ShardLinks shards, RetainedLinks retained, GatewayLoops loops, IOptions<RetainedOptions> retainedOptions)
{
    private readonly bool stopPublishClear = retainedOptions.Value.StopPublishClearMessage;

    /// <summary>The route of a topic.</summary>
    public TopicRoute RouteOf(TopicName topic) => new(topic, shards.Map.ShardOf(topic));

    /// <summary>Whether a publisher of QoS 1 or 2 must wait before it is told: someone stores the message or is in another process.</summary>
    public bool NeedsReceipt(TopicRoute route, bool retain) => retain || !FindMatch(route) || route.Match!.NeedsReceipt;

    /// <summary>Publishes a message. On an event loop.</summary>
    /// <param name="receipt">Collects the answers; null for QoS 0 or when <see cref="NeedsReceipt"/> says so.</param>
    /// <returns>False if it is known that nobody was subscribed.</returns>
    public bool Publish(LoopContext loop, ApplicationMessage message, TopicRoute route, PublishReceipt? receipt)
    {
        BrokerCounters.Add(Metric.MessagesPublish);
        loop.Hooks.TopicMetrics?.Find(message.Topic)?.CountIn(message.Qos);
        return Send(loop, message, route, receipt);
    }

    /// <summary>Publishes a will: nobody waits for it.</summary>
    public void PublishWill(LoopContext loop, ApplicationMessage message)
    {
        if (loop.Hooks.MessagePublish.IsEmpty) Publish(loop, message, RouteOf(message.Topic), null);
        else _ = PublishHookedAsync(loop, message);
    }

    /// <summary>Publishes what the broker says of itself: nobody waits for it, and it is not among the messages published.</summary>
    public void PublishSystem(LoopContext loop, ApplicationMessage message) => Send(loop, message, RouteOf(message.Topic), null);

    /// <summary>Gives a delivery that a member of a shared subscription left behind to another member.</summary>
    public void Redispatch(LoopContext loop, in Delivery delivery) => Redispatch(loop, delivery.Message, TopicFilter.Parse(delivery.Share!));

    /// <summary>The same for a message that found its member gone, in a later turn of the loop: a publisher may be going through its routes just now.</summary>
    public void RedispatchSoon(LoopContext loop, ApplicationMessage message, TopicFilter filter) => loop.Loop.Execute(() => Redispatch(loop, message, filter));

    private async Task PublishHookedAsync(LoopContext loop, ApplicationMessage message)
    {
        if (await loop.Hooks.PublishingAsync(null, message) is { } changed) loop.Run(() => Publish(loop, changed, RouteOf(changed.Topic), null));
    }

    private bool Send(LoopContext loop, ApplicationMessage message, TopicRoute route, PublishReceipt? receipt)
    {
        if (message.Retain)
        {
            retained.Store(route.Shard, message, receipt);
            if (stopPublishClear && message.Payload.Length == 0) return true;
        }

        // What NeedsReceipt has just found holds for this message: a route added since then may belong to a session whose answer nobody would await.
        var isSettled = receipt is null && message.Qos != Qos.AtMostOnce && route.Match is { NeedsReceipt: false };
        if (!isSettled && !FindMatch(route))
        {
            shards.Send(route.Shard, message, receipt);
            return true;
        }

        var match = route.Match!;
        if (match.DestinationCount == 0)
        {
            if (!message.Topic.IsSystem) loop.Hooks.CountDropped(message);
            return false;
        }

        if (message.TraceParent is null) Dispatch(loop, message, match, receipt);
        else DispatchTraced(loop, message, match, receipt);
        return true;
    }

    private void DispatchTraced(LoopContext loop, ApplicationMessage message, IShardMatch match, PublishReceipt? receipt)
    {
        using var activity = MessageActivities.Dispatch(ref message, match.DestinationCount);
        Dispatch(loop, message, match, receipt);
    }

    private void Dispatch(LoopContext loop, ApplicationMessage message, IShardMatch match, PublishReceipt? receipt)
    {
        var chosen = loop.SharedRoutes;
        var routes = match.Dispatch(message, receipt, chosen);
        loops.Deliver(loop, message, routes);
        DeliverChosen(loop, message, chosen);
    }

    private void Redispatch(LoopContext loop, ApplicationMessage message, in TopicFilter filter)
    {
        var chosen = loop.SharedRoutes;
        shards.Redispatch(shards.Map.ShardOf(message.Topic), filter, message, chosen);
        DeliverChosen(loop, message, chosen);
    }

    private void DeliverChosen(LoopContext loop, ApplicationMessage message, List<ulong> chosen)
    {
        if (chosen.Count == 0) return;
        foreach (var route in chosen) loops.Deliver(loop, message, [route]);
        chosen.Clear();
    }

    private bool FindMatch(TopicRoute route)
    {
        if (route.Match is { IsCurrent: true }) return true;
        var found = shards.TryMatch(route.Shard, route.Name, out var match);
        route.Match = found ? match : null;
        return found;
    }
}
