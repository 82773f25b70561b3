using Broker.Grains.Interfaces.Sessions;
using Broker.Grains.Interfaces.Topics;

namespace Broker.Grains.Sessions;

/// <summary>Tells how a session stands.</summary>
internal static class SessionExplanation
{
    /// <param name="numbers">The subscriptions that are of interest.</param>
    public static ExplainedSession Explain(this DurableSession session, bool isConnected, ulong[] numbers)
    {
        var counts = session.Counts;
        var subscriptions = numbers.Select(session.Subscriptions.Find).OfType<Storage.SessionSubscription>().Select(one => new Subscription(TopicFilter.Parse(one.Filter), one.Options));
        return new ExplainedSession([.. subscriptions], isConnected, counts.Queued, counts.Limits?.MaxQueueLength ?? 0)
        {
            SubscriptionCount = counts.Subscriptions,
            Inflight = counts.Inflight,
            MaxInflight = counts.Limits?.MaxInflight ?? 0,
            Dropped = counts.Dropped,
        };
    }
}
