using Broker.Grains.Interfaces.Delayed;
using Broker.Grains.Interfaces.Messages;
using Broker.Grains.Interfaces.Metrics;
using Broker.Grains.Sessions;
using Broker.Grains.Storage;
using Broker.Grains.Storage.Writes;

namespace Broker.Grains.Delayed;

/// <summary>The waiting messages of one partition. They lie in the store alone: here is how many there are and when the next is due.
/// Thread-safe by one lock, never held across I/O.</summary>
/// <remarks>How they leave is <see cref="DelayedPump"/>'s business.</remarks>
internal sealed class DelayedPartition : ILocalDelayed
{
    private readonly Lock gate = new();
    private readonly int number;
    private readonly BrokerStore store;
    private readonly DelayedOptions options;
    private readonly DelayedBudget budget;
    private readonly SessionOrigins origins;
    private readonly DelayedPump pump;
    private long lastNumber;
    private long count;
    private bool closed;

    /// <summary>Its places were given back, all at once.</summary>
    private bool hasLeft;

    /// <param name="number">Its number.</param>
    /// <param name="stored">What the store has of it.</param>
    /// <param name="taken">What it has taken that came with an origin.</param>
    /// <param name="services">What it works with.</param>
    public DelayedPartition(int number, DelayedState stored, IReadOnlyList<OriginMark> taken, DelayedServices services)
    {
        (this.number, store, options, budget) = (number, services.Store, services.Options, services.Budget);
        origins = new SessionOrigins(taken);
        count = stored.Count;
        budget.Take(count);
        // Another activation's numbers are lower even if it has left nothing: a message identifier never comes again.
        lastNumber = Math.Max(stored.LastNumber, services.Time.GetUtcNow().ToUnixTimeMilliseconds() << 20);
        pump = new DelayedPump(number, services, Removed);
        pump.Wake(stored.NextDue);
    }

    /// <summary>How many wait.</summary>
    public long Count => Interlocked.Read(ref count);

    /// <summary>Completes when it can do nothing more here: the process is fenced, or the store is closed.</summary>
    public Task Broken => pump.Broken;

    public bool TryStore(DelayedMessage message, PublishReceipt? receipt)
    {
        lock (gate)
        {
            if (closed) return false;
            var origin = message.Message.Qos == Qos.ExactlyOnce ? message.Message.Origin : null;
            if (origin is not null && !origins.TryAdd(origin, number))
            {
                // Sent once more by its publisher or from node to node. The first may still be on its way into the store.
                if (receipt is not null) store.Submit(new WriteGroup { IsData = true, Observer = new Repeated(receipt) });
                return true;
            }

            if (message.Message.Payload.Length > options.MaxPayloadBytes || !budget.TryTake())
            {
                BrokerCounters.Add(Metric.MessagesDelayedDropped);
                if (origin is not null) origins.Refuse(origin, number);
                receipt?.Answer(ReasonCode.QuotaExceeded);
                return true;
            }

            Interlocked.Increment(ref count);
            // Under the lock (it never blocks), so that numbers lie in the store in their order.
            store.Submit(new SaveDelayed(new DelayedKey(number, message.DueAt, ++lastNumber), message) { Observer = new Pending(this, message, receipt) });
            return true;
        }
    }

    /// <summary>Takes one out before its time.</summary>
    /// <returns>False if it is not there.</returns>
    /// <exception cref="StoreException">The store cannot be read, or does not take it out.</exception>
    public Task<bool> RemoveAsync(DelayedKey key) => pump.RemoveAsync(key);

    /// <summary>Ends all use; completes when nothing of it is being published any more.</summary>
    public async Task CloseAsync(CancellationToken cancellation)
    {
        lock (gate)
        {
            if (closed) return;
            closed = true;
        }

        await pump.StopAsync(cancellation);
        lock (gate)
        {
            hasLeft = true;
            budget.Give(count);
        }
    }

    private void Removed(int places)
    {
        lock (gate)
        {
            Interlocked.Add(ref count, -places);
            if (!hasLeft) budget.Give(places);
        }
    }

    private void NotStored(DelayedMessage message)
    {
        if (message.Message is { Qos: Qos.ExactlyOnce, Origin: { } origin })
        {
            lock (gate) origins.Refuse(origin, number);
        }

        Removed(1);
        BrokerCounters.Add(Metric.MessagesDelayedDropped);
    }

    private sealed class Pending(DelayedPartition partition, DelayedMessage message, PublishReceipt? receipt) : IStoreObserver
    {
        public void Committed(StoreWrite write)
        {
            BrokerCounters.Add(Metric.MessagesDelayed);
            partition.pump.Wake(message.DueAt);
            receipt?.Answer(ReasonCode.Success);
        }

        public void Failed(StoreWrite write, StoreException reason)
        {
            partition.NotStored(message);
            receipt?.Answer(ReasonCode.QuotaExceeded);
        }
    }

    private sealed class Repeated(PublishReceipt receipt) : IStoreObserver
    {
        public void Committed(StoreWrite write) => receipt.Answer(ReasonCode.Success);

        public void Failed(StoreWrite write, StoreException reason) => receipt.Answer(ReasonCode.QuotaExceeded);
    }
}
