using Broker.Grains.Interfaces.Messages;
using Broker.Grains.Interfaces.Metrics;
using Broker.Grains.Interfaces.Plugins;
using Broker.Grains.Interfaces.Sessions;
using Broker.Grains.Storage;

namespace Broker.Grains.Sessions;

/// <summary>Sends a durable session's deliveries as far as its window, its client's socket and the store allow. Under the session's lock.</summary>
/// <param name="restoredUpTo">Deliveries up to here came from the store and may have been sent before: that is not stored for each. [MQTT-3.3.1-1]</param>
internal sealed class DeliveryPump(string clientId, SessionState state, SessionJournal journal, long restoredUpTo, IBrokerHooks hooks, TimeProvider time)
{
    private readonly long mayBeSentUpTo = restoredUpTo;

    /// <summary>What was in flight at the connection before and is to be sent again when the window of this one, which may be smaller, has room.</summary>
    private readonly Queue<Delivery> repeats = new();

    /// <summary>The highest sequence number that was sent, or may have been.</summary>
    public long SentUpTo { get; private set; } = restoredUpTo;

    /// <summary>The connection; null while the client is away.</summary>
    public ISessionPipe? Pipe { get; private set; }

    private long NowMs => time.GetUtcNow().ToUnixTimeMilliseconds();

    /// <summary>The client is back: what was in flight goes out again in its order, then what waits.</summary>
    public void Attach(ISessionPipe connection)
    {
        Pipe = connection;
        repeats.Clear();
        foreach (var inflight in state.InflightInOrder())
        {
            state.Resent(inflight, NowMs);
            if (repeats.Count > 0 || inflight.State != InflightState.Released) repeats.Enqueue(inflight.Delivery);
            else if (!AwaitsStore(inflight.Delivery)) connection.Release(inflight.Delivery.PacketIdentifier);
        }

        Pump();
    }

    /// <summary>The client has gone.</summary>
    public void Detach() => Pipe = null;

    /// <summary>Sends a delivery or lets it wait, and stores it beside.</summary>
    public void Take(in Delivery unnumbered, SharedBody? body, PublishReceipt? receipt)
    {
        var isFree = repeats.Count == 0 && Pipe is not null;
        if (unnumbered.Qos == Qos.AtMostOnce && isFree && Pipe!.IsWritable && state.QueueLength == 0)
        {
            Pipe.Publish(unnumbered, dup: false);
            return;
        }

        if (unnumbered.Qos == Qos.AtMostOnce && !state.Limits.QueueQos0)
        {
            hooks.CountDropped(clientId, unnumbered.Message, Metric.DeliveryDroppedQos0Msg);
            return;
        }

        var atOnce = unnumbered.Qos != Qos.AtMostOnce && isFree && state.CanSendAtOnce && Pipe!.IsWritable;
        MessageActivity? appending = null;
        var delivery = state.Number(unnumbered.Message.TraceParent is null ? unnumbered : Trace(unnumbered, out appending));
        if (atOnce)
        {
            state.Begin(delivery, NowMs);
            SentUpTo = Math.Max(SentUpTo, delivery.Sequence);
        }
        else if (state.Enqueue(delivery, out var dropped) == EnqueueOutcome.QueuedDroppingOldest)
        {
            hooks.CountDropped(clientId, dropped, NowMs);
            journal.Remove(dropped);
        }

        journal.Append(delivery, body, receipt, appending);
        if (atOnce && delivery.Qos == Qos.AtLeastOnce) Pipe?.Publish(delivery, dup: false);
    }

    private Delivery Trace(in Delivery delivery, out MessageActivity? appending)
    {
        var message = delivery.Message;
        appending = MessageActivities.Append(ref message, clientId);
        return delivery with { Message = message };
    }

    /// <summary>Sends what may leave now.</summary>
    public void Pump()
    {
        Repeat();
        while (repeats.Count == 0 && Pipe is { IsWritable: true })
        {
            switch (state.TryTake(NowMs, out var delivery))
            {
                case TakeOutcome.Send:
                    SentUpTo = Math.Max(SentUpTo, delivery.Sequence);
                    if (!AwaitsStore(delivery)) Pipe.Publish(delivery, dup: delivery.Qos != Qos.AtMostOnce && delivery.Sequence <= mayBeSentUpTo);
                    if (delivery.Qos == Qos.AtMostOnce) journal.Remove(delivery);
                    break;
                case TakeOutcome.Expired:
                    hooks.CountDropped(clientId, delivery.Message, Metric.DeliveryDroppedExpired);
                    journal.Remove(delivery);
                    break;
                default:
                    return;
            }
        }
    }

    /// <summary>A delivery is stored: QoS 2 was put in flight but held back until now. If it still has to be repeated its turn comes.</summary>
    public void SendStored(in Delivery delivery)
    {
        if (!repeats.Contains(delivery) && state.IsInflight(delivery.PacketIdentifier, delivery.Sequence)) Pipe?.Publish(delivery, dup: false);
    }

    /// <summary>Sends again what has been unacknowledged for that long.</summary>
    public void Retry(TimeSpan olderThan)
    {
        if (Pipe is null || repeats.Count > 0) return;
        foreach (var inflight in state.InflightInOrder())
        {
            if (NowMs - inflight.SentAtMs < olderThan.TotalMilliseconds) continue;
            state.Resent(inflight, NowMs);
            SendAgain(Pipe, inflight.Delivery, inflight.State);
        }
    }

    /// <summary>Sends again, in the original order, what was in flight, as far as window and socket take it. [MQTT-4.4.0-1], [MQTT-3.3.4-9]</summary>
    private void Repeat()
    {
        while (Pipe is { IsWritable: true } && repeats.TryPeek(out var delivery) && state.InflightCount - repeats.Count < state.Limits.MaxInflight)
        {
            repeats.Dequeue();
            if (state.TryGetInflight(delivery, out var known)) SendAgain(Pipe, delivery, known);
        }
    }

    /// <summary>What waits for the store is sent when it is stored.</summary>
    private void SendAgain(ISessionPipe pipe, in Delivery delivery, InflightState known)
    {
        if (AwaitsStore(delivery)) return;
        if (known == InflightState.Released) pipe.Release(delivery.PacketIdentifier);
        else pipe.Publish(delivery, dup: true);
    }

    /// <summary>QoS 2 takes no step before it is stored: sent, lost with the process and published again it would arrive twice.</summary>
    private bool AwaitsStore(in Delivery delivery) => delivery.Qos == Qos.ExactlyOnce && journal.IsPending(delivery);
}
