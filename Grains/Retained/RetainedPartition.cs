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
        var code = ReasonCode.Success;
        StoreWrite? write = null;
        lock (gate)
        {
            if (closed) return false;
            if (message.Payload.Length == 0)
            {
                // [MQTT-3.3.1-6], [MQTT-3.3.1-7]
                if (topics.Remove(message.Topic) is not null)
                {
                    budget.Give();
                    write = new RemoveRetained(message.Topic) { Observer = new Pending(this, message, null, receipt) };
                }
            }
            else
            {
                code = Keep(message, receipt, out write);
            }

            // Under the lock, so that the store sees changes of one topic in the same order.
            if (write is not null) store.Submit(write);
        }

        if (write is null) receipt?.Answer(code);
        return true;
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
            lock (gate) more = topics.Match("#"u8, ref cursor, 1000, found);
            foreach (var message in found)
            {
                if (!message.IsExpired(now)) continue;
                lock (gate)
                {
                    if (!ReferenceEquals(topics.Get(message.Topic), message)) continue;
                    topics.Remove(message.Topic);
                    budget.Give();
                    store.Submit(new RemoveRetained(message.Topic));
                }
            }
        }
    }

    /// <summary>Ends all direct use.</summary>
    public void Close()
    {
        lock (gate)
        {
            closed = true;
            budget.Give(topics.Count);
        }
    }

    private ReasonCode Keep(ApplicationMessage message, PublishReceipt? receipt, out StoreWrite? write)
    {
        write = null;
        // Too large or too many: delivered all the same, only not kept.
        if (message.Payload.Length > options.MaxPayloadBytes || (topics.Get(message.Topic) is null && !budget.TryTake()))
        {
            BrokerCounters.Add(Metric.MessagesRetainedDropped);
            return ReasonCode.Success;
        }

        var kept = message.ExpiresAt != 0 || options.ExpirySeconds == 0 ? message : message.ExpiringAt(NowMs + options.ExpirySeconds * 1000L);
        var before = topics.Set(message.Topic, kept);
        BrokerCounters.Add(Metric.MessagesRetained);
        write = new SaveRetained(number, kept) { Observer = new Pending(this, kept, before, receipt) };
        return ReasonCode.Success;
    }

    /// <summary>The store refused it: what was there before is there again, unless a newer one has come.</summary>
    private void Undo(ApplicationMessage kept, ApplicationMessage? before)
    {
        lock (gate)
        {
            if (!ReferenceEquals(topics.Get(kept.Topic), kept)) return;
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
internal sealed class RetainedBudget(RetainedOptions options)
{
    private int count;

    /// <summary>How many there are.</summary>
    public int Count => Volatile.Read(ref count);

    /// <summary>Takes a place if one is left.</summary>
    public bool TryTake()
    {
        if (Interlocked.Increment(ref count) <= options.MaxMessages || options.MaxMessages == 0) return true;
        Interlocked.Decrement(ref count);
        return false;
    }

    /// <summary>Takes a place in any case.</summary>
    public void Take() => Interlocked.Increment(ref count);

    /// <summary>Gives places back.</summary>
    public void Give(int places = 1) => Interlocked.Add(ref count, -places);
}
