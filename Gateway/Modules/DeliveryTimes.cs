using Broker.Gateway.Links;
using Broker.Gateway.Security;
using Broker.Grains.Interfaces.Messages;
using Broker.Grains.Interfaces.Sessions;
using Broker.Grains.Interfaces.Topics;

namespace Broker.Gateway.Modules;

/// <summary>When one client was sent what it has not acknowledged. On its event loop only; made when slow subscriptions are first looked for.</summary>
/// <remarks>What was read before the client connected is left out: it was away, not slow. So is what is retained.</remarks>
internal sealed class DeliveryTimes(SlowSubscriptions slow, ClientInfo? client, LoopContext loop)
{
    private readonly string clientId = client?.ClientId ?? "";
    private readonly long servesSince = (client?.ConnectedAt ?? default).ToUnixTimeMilliseconds() * 1000;

    /// <summary>Under their identifiers.</summary>
    private readonly Dictionary<ushort, Sending> unacknowledged = [];

    private readonly record struct Sending(TopicName Topic, Qos Qos, long Since);

    /// <summary>A message has been written.</summary>
    /// <param name="dup">For the second time.</param>
    public void Sent(in Delivery delivery, bool dup)
    {
        var message = delivery.Message;
        if (dup || delivery.Retain || message.ReceivedAt == 0 || message.ReceivedAt < servesSince) return;
        if (delivery.Qos == Qos.AtMostOnce || !slow.AwaitsAcknowledgement)
        {
            if (slow.CountsFromReceipt) Measure(message.Topic, message.ReceivedAt);
            return;
        }

        unacknowledged[delivery.PacketIdentifier] = new Sending(message.Topic, delivery.Qos, slow.CountsFromReceipt ? message.ReceivedAt : loop.NowMicroseconds);
    }

    /// <summary>PUBACK has come, or with QoS 2 PUBCOMP.</summary>
    public void Acknowledged(ushort packetIdentifier, bool isComplete)
    {
        if (!unacknowledged.TryGetValue(packetIdentifier, out var sending) || (sending.Qos == Qos.ExactlyOnce && !isComplete)) return;
        unacknowledged.Remove(packetIdentifier);
        if (slow.IsActive) Measure(sending.Topic, sending.Since);
    }

    /// <param name="since">Unix microseconds.</param>
    private void Measure(TopicName topic, long since)
    {
        var milliseconds = (loop.NowMicroseconds - since) / 1000;
        if (slow.IsSlow(milliseconds)) slow.Add(clientId, topic.Text, milliseconds);
    }
}
