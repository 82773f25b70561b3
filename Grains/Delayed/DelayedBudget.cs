using Broker.Grains.Interfaces.Delayed;
using Broker.Grains.Interfaces.Metrics;

namespace Broker.Grains.Delayed;

/// <summary>Counts the waiting messages of this process against their limit. Thread-safe.</summary>
internal sealed class DelayedBudget(DelayedOptions options, BrokerGauges gauges)
{
    private long count;

    /// <summary>Takes a place if one is left.</summary>
    public bool TryTake()
    {
        if (Interlocked.Increment(ref count) > options.MaxMessages && options.MaxMessages != 0)
        {
            Interlocked.Decrement(ref count);
            return false;
        }

        gauges.Add(Gauge.Delayed);
        return true;
    }

    /// <summary>Takes places in any case.</summary>
    public void Take(long places)
    {
        Interlocked.Add(ref count, places);
        gauges.Add(Gauge.Delayed, places);
    }

    /// <summary>Gives places back.</summary>
    public void Give(long places)
    {
        Interlocked.Add(ref count, -places);
        gauges.Add(Gauge.Delayed, -places);
    }
}
