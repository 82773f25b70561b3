using System.Runtime.CompilerServices;
using System.Text;
using Broker.Grains.Interfaces.Messages;
using Broker.Grains.Interfaces.Metrics;
using Broker.Grains.Interfaces.Retained;
using Broker.Grains.Interfaces.Topics;
using Broker.Grains.Storage;
using Broker.Grains.Storage.Writes;

namespace Broker.Grains.Retained;

/// <summary>The retained messages of one partition: in memory to be found, in the store to last. Thread-safe by one lock, never held across I/O.</summary>
internal sealed class RetainedPartition(int number, BrokerStore store, RetainedOptions options, RetainedBudget budget, TimeProvider time)
    : ILocalRetained
{
    private readonly Lock gate = new();
    private readonly RetainedTopics<ApplicationMessage> topics = new();

    /// <summary>What a refused message had replaced, for the one that has replaced it and may be refused too. Forgotten with the message.</summary>
    private readonly ConditionalWeakTable<ApplicationMessage, StrongBox<ApplicationMessage?>> refused = [];
    private bool closed;

    private long NowMs => time.GetUtcNow().ToUnixTimeMilliseconds();

    /// <summary>Takes in what the store has.</summary>
    public void Restore(ApplicationMessage message)
    {
        lock (gate)
        {
            if (topics.Set(message.Topic, message) is null) budget.Take();
        }
    }

    public bool TryStore(ApplicationMessage message, PublishReceipt? receipt)
    {
        lock (gate)
        {
            if (closed) return false;
            StoreWrite? write = message.Payload.Length == 0 ? Remove(message, receipt) : Keep(message, receipt);
            // Under the lock (it never blocks), so that the store sees the order that memory sees.
            if (write is not null) store.Submit(write);
            else receipt?.Answer(ReasonCode.Success);
            return true;
        }
    }

    public bool TryMatch(in TopicFilter filter, TopicName? after, int limit, out RetainedPage page)
    {
        var found = new List<ApplicationMessage>();
        var cursor = new RetainedCursor { From = after };
        lock (gate)
        {
            page = default;
            if (closed) return false;
            topics.Match(Encoding.UTF8.GetBytes(filter.Path), ref cursor, limit, found);
        }

        var now = NowMs;
        found.RemoveAll(message => message.IsExpired(now));
        page = new RetainedPage([.. found], cursor.Done ? null : cursor.From);
        return true;
    }

    /// <summary>Removes what has expired.</summary>
    public void RemoveExpired()
    {
        var now = NowMs;
        var cursor = default(RetainedCursor);
        var found = new List<ApplicationMessage>();
        for (var more = true; more;)
        {
            found.Clear();
            lock (gate) more = topics.ReadAll(ref cursor, 1000, found);
            foreach (var message in found)
            {
                if (!message.IsExpired(now)) continue;
                lock (gate)
                {
                    if (closed || !ReferenceEquals(topics.Get(message.Topic), message)) continue;
                    if (Remove(message, null) is { } write) store.Submit(write);
                }
            }
        }
    }

    /// <summary>Ends all direct use.</summary>
    public void Close()
    {
        lock (gate)
        {
            if (closed) return;
            closed = true;
            budget.Give(topics.Count);
        }
    }

    /// <returns>What to store; null if there was nothing to remove. [MQTT-3.3.1-6], [MQTT-3.3.1-7]</returns>
    private RemoveRetained? Remove(ApplicationMessage message, PublishReceipt? receipt)
    {
        if (topics.Remove(message.Topic) is null) return null;
        budget.Give();
        return new RemoveRetained(message.Topic) { Observer = new Pending(this, message, null, receipt) };
    }

    /// <returns>What to store; null if it is not kept.</returns>
    private SaveRetained? Keep(ApplicationMessage message, PublishReceipt? receipt)
    {
        // Too large or too many: delivered all the same, only not kept.
        if (message.Payload.Length > options.MaxPayloadBytes || (topics.Get(message.Topic) is null && !budget.TryTake()))
        {
            BrokerCounters.Add(Metric.MessagesRetainedDropped);
            return null;
        }

        message = message.Traced(null);
        var kept = message.ExpiresAt != 0 || options.ExpirySeconds == 0 ? message : message.ExpiringAt(NowMs + options.ExpirySeconds * 1000L);
        var before = topics.Set(message.Topic, kept);
        BrokerCounters.Add(Metric.MessagesRetained);
        return new SaveRetained(number, kept) { Observer = new Pending(this, kept, before, receipt) };
    }

    /// <summary>The store refused it: what was there before is there again, unless a newer one has come.</summary>
    private void Undo(ApplicationMessage kept, ApplicationMessage? before)
    {
        lock (gate)
        {
            if (closed) return;
            if (!ReferenceEquals(topics.Get(kept.Topic), kept))
            {
                refused.AddOrUpdate(kept, new StrongBox<ApplicationMessage?>(before));
                return;
            }

            while (before is not null && refused.TryGetValue(before, out var earlier)) before = earlier.Value;
            if (before is not null)
            {
                topics.Set(kept.Topic, before);
                return;
            }

            topics.Remove(kept.Topic);
            budget.Give();
        }
    }

    private sealed class Pending(RetainedPartition partition, ApplicationMessage message, ApplicationMessage? before, PublishReceipt? receipt) : IStoreObserver
    {
        public void Committed(StoreWrite write) => receipt?.Answer(ReasonCode.Success);

        public void Failed(StoreWrite write, StoreException reason)
        {
            partition.Undo(message, before);
            receipt?.Answer(ReasonCode.QuotaExceeded);
        }
    }
}

/// <summary>Counts the retained messages of this process against their limit. Thread-safe.</summary>
internal sealed class RetainedBudget(RetainedOptions options, BrokerGauges gauges)
{
    private int count;

    /// <summary>How many there are.</summary>
    public int Count => Volatile.Read(ref count);

    /// <summary>Takes a place if one is left.</summary>
    public bool TryTake()
    {
        if (Interlocked.Increment(ref count) > options.MaxMessages && options.MaxMessages != 0)
        {
            Interlocked.Decrement(ref count);
            return false;
        }

        gauges.Add(Gauge.Retained);
        return true;
    }

    /// <summary>Takes a place in any case.</summary>
    public void Take()
    {
        Interlocked.Increment(ref count);
        gauges.Add(Gauge.Retained);
    }

    /// <summary>Gives places back.</summary>
    public void Give(int places = 1)
    {
        Interlocked.Add(ref count, -places);
        gauges.Add(Gauge.Retained, -places);
    }
}
