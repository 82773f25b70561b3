using Broker.Grains.Interfaces.Messages;
using Broker.Grains.Interfaces.Metrics;
using Broker.Grains.Interfaces.Sessions;

namespace Broker.Grains.Interfaces.Plugins;

/// <summary>Counts messages that do not arrive, and tells hooks.</summary>
public static class DroppedMessages
{
    /// <summary>A message has been routed to nobody.</summary>
    public static void CountDropped(this IBrokerHooks hooks, ApplicationMessage message)
    {
        BrokerCounters.Add(Metric.MessagesDroppedNoSubscribers);
        hooks.MessageDropped(message, "no_subscribers");
    }

    /// <summary>A subscriber does not get a message.</summary>
    /// <param name="why">One of the counters of `delivery.dropped`.</param>
    public static void CountDropped(this IBrokerHooks hooks, string clientId, ApplicationMessage message, Metric why)
    {
        BrokerCounters.Add(why);
        hooks.DeliveryDropped(clientId, message, why switch
        {
            Metric.DeliveryDroppedQueueFull => "queue_full",
            Metric.DeliveryDroppedExpired => "expired",
            Metric.DeliveryDroppedQos0Msg => "qos0_msg",
            Metric.DeliveryDroppedTooLarge => "too_large",
            _ => "no_local",
        });
    }

    /// <summary>A full queue has dropped a delivery: for its age if it would not have been sent any more, else for want of room.</summary>
    public static void CountDropped(this IBrokerHooks hooks, string clientId, in Delivery delivery, long nowMs) =>
        hooks.CountDropped(clientId, delivery.Message, delivery.Message.IsExpired(nowMs) ? Metric.DeliveryDroppedExpired : Metric.DeliveryDroppedQueueFull);
}
