using Broker.Gateway.Links;
using Broker.Gateway.Mqtt;
using Broker.Gateway.Mqtt.Packets;
using Broker.Grains.Interfaces.Messages;
using Broker.Grains.Interfaces.Metrics;
using Broker.Grains.Interfaces.Plugins;
using Broker.Grains.Interfaces.Sessions;
using Broker.Grains.Interfaces.Topics;

namespace Broker.Gateway.Sessions;

/// <summary>A session that lives and dies with its connection, in memory, on its connection's event loop.</summary>
internal sealed class TransientSession(
    string clientId, PacketSender sender, LoopContext loop, SessionLimits limits, TransientSubscriptions.Services services, KeptWill? will, bool upgradeQos) : ISession
{
    private readonly SessionState state = new(limits);
    private TransientSubscriptions? subscriptions;
    private QueuePressure? pressure;
    private Delivery merged;
    private long mergeStamp;
    private bool closed;

    public string ClientId => clientId;

    public bool IsPresent => false;

    public bool StoresReceipts => false;

    public RetainedRest[] RetainedRests => [];

    /// <summary>How many deliveries wait.</summary>
    public int QueueLength => state.QueueLength;

    public int SubscriptionCount => subscriptions?.Count ?? 0;

    public SessionCounts Counts => state.Count(SubscriptionCount);

    /// <summary>Its subscriptions. On its event loop.</summary>
    public Subscription[] CopySubscriptions() => subscriptions?.Copy() ?? [];

    public void Start()
    {
    }

    public ReceiveOutcome TryReceive(ushort packetIdentifier, PublishReceipt? receipt, out long number) => state.TryReceive(packetIdentifier, loop.NowMs, out number);

    public bool Release(ushort packetIdentifier, PublishReceipt? receipt) => state.Release(packetIdentifier);

    public IDisposable? BeginAtomicWrites() => null;

    public bool Acknowledge(ushort packetIdentifier)
    {
        if (!state.Acknowledge(packetIdentifier, out _)) return false;
        BrokerCounters.Add(Metric.MessagesAcked);
        Drain();
        return true;
    }

    public bool Receive(ushort packetIdentifier, ReasonCode code)
    {
        if (code >= ReasonCode.UnspecifiedError) return Complete(packetIdentifier);
        if (!state.Receive(packetIdentifier, loop.NowMs, out _)) return false;
        sender.Acknowledge(PacketType.Pubrel, packetIdentifier, ReasonCode.Success);
        return true;
    }

    public bool Complete(ushort packetIdentifier)
    {
        if (!state.Complete(packetIdentifier, out _)) return false;
        BrokerCounters.Add(Metric.MessagesAcked);
        Drain();
        return true;
    }

    public bool IsInUse(ushort packetIdentifier) => state.IsInUse(packetIdentifier);

    /// <inheritdoc cref="Delivery.TryMake"/>
    public bool TryMakeDelivery(ApplicationMessage message, in SubscriptionOptions options, string? share, out Delivery delivery) =>
        Delivery.TryMake(message, options, clientId, upgradeQos, share, out delivery);

    /// <summary>Merges a delivery into the one of the same message by other subscriptions.</summary>
    /// <returns>True if it is the first.</returns>
    public bool Merge(long stamp, in Delivery delivery)
    {
        if (mergeStamp != stamp)
        {
            mergeStamp = stamp;
            merged = delivery;
            return true;
        }

        merged = merged.Merge(delivery);
        return false;
    }

    /// <summary>The merged delivery.</summary>
    public Delivery TakeMerged()
    {
        var result = merged;
        merged = default;
        return result;
    }

    /// <summary>Sends a delivery, or lets it wait for window and socket.</summary>
    public void Deliver(in Delivery delivery, bool shared)
    {
        if (closed)
        {
            if (delivery.Share is { } share) services.Router.RedispatchSoon(loop, delivery.Message, TopicFilter.Parse(share));
            return;
        }

        if (delivery.Qos == Qos.AtMostOnce)
        {
            if (state.QueueLength == 0 && sender.IsWritable)
            {
                if (sender.Publish(delivery, dup: false, shared)) BrokerCounters.Add(Metric.MessagesDelivered);
                return;
            }
        }
        else if (state.CanSendAtOnce && sender.IsWritable)
        {
            var numbered = state.Number(delivery);
            state.Begin(numbered, loop.NowMs);
            Send(numbered);
            return;
        }

        var outcome = state.Enqueue(delivery, out var dropped);
        if (outcome == EnqueueOutcome.RefusedQos0) loop.Hooks.CountDropped(clientId, delivery.Message, Metric.DeliveryDroppedQos0Msg);
        else if (outcome == EnqueueOutcome.QueuedDroppingOldest) loop.Hooks.CountDropped(clientId, dropped, loop.NowMs);
        if (limits.MaxQueueLength == 0 || state.QueueLength * 4 <= limits.MaxQueueLength) return;
        pressure ??= new QueuePressure(this, loop, limits.MaxQueueLength);
        if (pressure.IsHigh) loop.Congested = pressure;
    }

    public void DeliverRetained(ApplicationMessage message, in Subscription subscription)
    {
        if (TryMakeDelivery(message, subscription.Options, null, out var delivery)) Deliver(delivery with { Retain = true }, shared: false);
    }

    public void Drain()
    {
        while (!closed && sender.IsWritable)
        {
            switch (state.TryTake(loop.NowMs, out var delivery))
            {
                case TakeOutcome.Send:
                    Send(delivery);
                    pressure?.Moved();
                    break;
                case TakeOutcome.Expired:
                    loop.Hooks.CountDropped(clientId, delivery.Message, Metric.DeliveryDroppedExpired);
                    pressure?.Moved();
                    break;
                default:
                    return;
            }
        }
    }

    public void Retry(TimeSpan olderThan)
    {
        foreach (var _ in state.ExpireReceipts(loop.NowMs)) BrokerCounters.Add(Metric.MessagesDroppedAwaitPubrelTimeout);
        if (olderThan <= TimeSpan.Zero || state.InflightCount == 0) return;
        var now = loop.NowMs;
        foreach (var inflight in state.InflightInOrder())
        {
            if (now - inflight.SentAtMs < olderThan.TotalMilliseconds) continue;
            state.Resent(inflight, now);
            if (inflight.State == InflightState.Released) sender.Acknowledge(PacketType.Pubrel, inflight.Delivery.PacketIdentifier, ReasonCode.Success);
            else sender.Publish(inflight.Delivery, dup: true, shared: false);
        }
    }

    public bool IsSubscribed(in TopicFilter filter) => subscriptions?.Contains(filter) ?? false;

    public ValueTask<SubscribeResult[]> SubscribeAsync(Subscription[] requested) =>
        (subscriptions ??= new TransientSubscriptions(this, loop, services)).SubscribeAsync(requested);

    public ValueTask<ReasonCode[]> UnsubscribeAsync(TopicFilter[] filters) =>
        (subscriptions ??= new TransientSubscriptions(this, loop, services)).UnsubscribeAsync(filters);

    public async ValueTask CloseAsync(bool publishWill, uint? expirySeconds)
    {
        closed = true;
        pressure?.End();
        if (subscriptions is not null) await subscriptions.ClearAsync();
        foreach (var left in state.SharedLeftovers(loop.NowMs)) services.Router.Redispatch(loop, left);
        if (will is null) return;
        if (publishWill) services.Router.PublishWill(loop, will.Will.ToMessage(loop.NowMs));
        will.Keeper.Remove(clientId, will.Connection);
    }

    private void Send(in Delivery delivery)
    {
        if (sender.Publish(delivery, dup: false, shared: false))
        {
            BrokerCounters.Add(Metric.MessagesDelivered);
        }
        else if (delivery.Qos != Qos.AtMostOnce)
        {
            // Too large for this client: as if it had been acknowledged. [MQTT-3.1.2-25]
            if (!state.Acknowledge(delivery.PacketIdentifier, out _)) state.Complete(delivery.PacketIdentifier, out _);
        }
    }
}
