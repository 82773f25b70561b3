using Broker.Grains.Interfaces.Messages;
using Broker.Grains.Interfaces.Metrics;
using Broker.Grains.Interfaces.Sessions;
using Broker.Grains.Storage;

namespace Broker.Grains.Sessions;

/// <summary>Sends a durable session's deliveries as far as its window, its client's socket and the store allow. Under the session's lock.</summary>
/// <param name="restoredUpTo">Deliveries up to here came from the store and may have been sent before the process ended. [MQTT-3.3.1-1]</param>
internal sealed class DeliveryPump(SessionState state, SessionJournal journal, long restoredUpTo, TimeProvider time)
{
    /// <summary>The connection; null while the client is away.</summary>
    public ISessionPipe? Pipe { get; set; }

    private long NowMs => time.GetUtcNow().ToUnixTimeMilliseconds();

    /// <summary>Sends a delivery or lets it wait, and stores it beside.</summary>
    public void Take(in Delivery unnumbered, SharedBody? body, PublishReceipt? receipt)
    {
        if (unnumbered.Qos == Qos.AtMostOnce && Pipe is { IsWritable: true } && state.QueueLength == 0)
        {
            Pipe.Publish(unnumbered, dup: false);
            return;
        }

        if (unnumbered.Qos == Qos.AtMostOnce && !state.Limits.QueueQos0)
        {
            BrokerCounters.Add(Metric.DeliveryDroppedQos0Msg);
            return;
        }

        var atOnce = unnumbered.Qos != Qos.AtMostOnce && Pipe is not null && state.CanSendAtOnce;
        var delivery = state.Number(unnumbered);
        if (atOnce)
        {
            state.Begin(delivery, NowMs);
        }
        else if (state.Enqueue(delivery, out var dropped) == EnqueueOutcome.QueuedDroppingOldest)
        {
            BrokerCounters.Add(Metric.DeliveryDroppedQueueFull);
            journal.Remove(dropped);
        }

        journal.Append(delivery, body, receipt);
        if (atOnce && delivery.Qos == Qos.AtLeastOnce) Pipe?.Publish(delivery, dup: false);
    }

    /// <summary>Sends what may leave now.</summary>
    public void Pump()
    {
        while (Pipe is { IsWritable: true })
        {
            switch (state.TryTake(NowMs, out var delivery))
            {
                case TakeOutcome.Send:
                    if (!AwaitsStore(delivery)) Pipe.Publish(delivery, dup: delivery.Qos != Qos.AtMostOnce && delivery.Sequence <= restoredUpTo);
                    if (delivery.Qos == Qos.AtMostOnce) journal.Remove(delivery);
                    break;
                case TakeOutcome.Expired:
                    BrokerCounters.Add(Metric.DeliveryDroppedExpired);
                    journal.Remove(delivery);
                    break;
                default:
                    return;
            }
        }
    }

    /// <summary>Sends again what is in flight, unless it waits for the store, which sends it then.</summary>
    public void Resend(in Inflight inflight)
    {
        if (AwaitsStore(inflight.Delivery)) return;
        state.Resent(inflight, NowMs);
        if (inflight.State == InflightState.Released) Pipe!.Release(inflight.Delivery.PacketIdentifier);
        else Pipe!.Publish(inflight.Delivery, dup: true);
    }

    /// <summary>QoS 2 takes no step before it is stored: sent, lost with the process and published again it would arrive twice.</summary>
    private bool AwaitsStore(in Delivery delivery) => delivery.Qos == Qos.ExactlyOnce && journal.IsPending(delivery);
}
