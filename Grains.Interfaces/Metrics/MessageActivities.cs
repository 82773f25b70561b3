using System.Diagnostics;
using Broker.Grains.Interfaces.Messages;

namespace Broker.Grains.Interfaces.Metrics;

/// <summary>Traces the way of a sampled message: `publish receive` in its publisher's gateway, `shard dispatch`, `session append` for each durable session that stores it, and `deliver` in the gateway of
/// each subscriber.</summary>
/// <remarks>A message that is traced carries its last step (<see cref="ApplicationMessage.TraceParent"/>), which is the next one's parent. None of them is ever the running activity: a link that
/// begins to send meanwhile would belong to it for as long as it sends. Each method answers null while nobody listens.</remarks>
public static class MessageActivities
{
    /// <summary>Where a message's trace begins.</summary>
    public const string ReceiveName = "publish receive";

    private const string ClientTag = "messaging.client.id";
    private const string TopicTag = "messaging.destination.name";

    /// <summary>A PUBLISH is taken from its publisher, until it has been handed on.</summary>
    /// <param name="message">Is traced from now on.</param>
    /// <param name="parent">The publisher's own step, as W3C writes it; null if this is the first.</param>
    public static MessageActivity? Receive(ref ApplicationMessage message, string? parent)
    {
        if (Begin(ReceiveName, ActivityKind.Consumer, parent, isFirst: parent is null) is not { } activity) return null;
        activity.SetTag(TopicTag, message.Topic.Text).SetTag(ClientTag, message.PublisherId).SetTag("broker.qos", (int)message.Qos);
        return Follow(activity, ref message);
    }

    /// <summary>The message is matched in its shard and handed to its destinations.</summary>
    /// <param name="destinations">How many: gateways, durable sessions and groups.</param>
    public static MessageActivity? Dispatch(ref ApplicationMessage message, int destinations)
    {
        if (Begin("shard dispatch", ActivityKind.Internal, message.TraceParent) is not { } activity) return null;
        activity.SetTag(TopicTag, message.Topic.Text).SetTag("broker.destinations", destinations);
        return Follow(activity, ref message);
    }

    /// <summary>The message is stored for a durable session, until it is committed or need not be any more.</summary>
    public static MessageActivity? Append(ref ApplicationMessage message, string clientId)
    {
        if (Begin("session append", ActivityKind.Internal, message.TraceParent) is not { } activity) return null;
        activity.SetTag(ClientTag, clientId);
        return Follow(activity, ref message);
    }

    /// <summary>The message is written to a subscriber, until its socket has it.</summary>
    public static MessageActivity? Deliver(ApplicationMessage message, string clientId, Qos qos)
    {
        if (Begin("deliver", ActivityKind.Producer, message.TraceParent) is not { } activity) return null;
        activity.SetTag(ClientTag, clientId).SetTag("broker.qos", (int)qos);
        return new MessageActivity(activity);
    }

    private static MessageActivity Follow(Activity activity, ref ApplicationMessage message)
    {
        message = message.Traced(activity.Id);
        return new MessageActivity(activity);
    }

    private static Activity? Begin(string name, ActivityKind kind, string? parent, bool isFirst = false)
    {
        ActivityContext context = default;
        if (!isFirst && !ActivityContext.TryParse(parent, null, isRemote: true, out context)) return null;
        var running = Activity.Current;
        Activity.Current = null; // what ends makes its predecessor the running one
        var activity = BrokerActivities.Source.StartActivity(name, kind, context);
        Activity.Current = running;
        return activity is { Recorded: true } ? activity : null;
    }
}

/// <summary>One step of a traced message. May end on another thread than it began on.</summary>
public sealed class MessageActivity(Activity activity) : IDisposable
{
    /// <summary>Ends it.</summary>
    public void Dispose()
    {
        var running = Activity.Current;
        activity.Stop();
        Activity.Current = running;
    }

    /// <summary>Ends it: it has failed.</summary>
    public void Fail(string reason)
    {
        activity.Fail(reason);
        Dispose();
    }

    /// <summary>Ends it: it turned out not to be needed.</summary>
    public void Cancel()
    {
        activity.AddEvent(new ActivityEvent("cancelled"));
        Dispose();
    }
}
