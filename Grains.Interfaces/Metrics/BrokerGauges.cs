namespace Broker.Grains.Interfaces.Metrics;

/// <summary>The process's gauges and the highest value of each since the start. Thread-safe. One instance for each broker.</summary>
/// <remarks>Changed when something begins or ends, never for a message: one interlocked addition, and the highest is never missed.</remarks>
public sealed class BrokerGauges
{
    /// <summary>Each gauge and its highest value have 128 bytes, two cache lines, of their own: event loops change different ones at once.</summary>
    private const int Stride = 16;

    /// <summary>EMQ X's names. It publishes some numbers twice; the tables behind them have as many rows as each other here too.</summary>
    private static readonly (string Name, Gauge Gauge)[] Names =
    [
        ("connections", Gauge.Connections),
        ("channels", Gauge.Sessions),
        ("sessions", Gauge.Sessions),
        ("topics", Gauge.Topics),
        ("routes", Gauge.Topics),
        ("subscribers", Gauge.Subscribers),
        ("subscriptions", Gauge.Subscriptions),
        ("subscriptions.shared", Gauge.SubscriptionsShared),
        ("suboptions", Gauge.Subscriptions),
        ("retained", Gauge.Retained),
        ("delayed", Gauge.Delayed),
    ];

    private readonly long[] values = new long[(Enum.GetValues<Gauge>().Length + 1) * Stride];

    /// <summary>Raises a gauge, or lowers it by a negative amount.</summary>
    public void Add(Gauge gauge, long amount = 1)
    {
        var now = Interlocked.Add(ref values[At(gauge)], amount);
        ref var highest = ref values[At(gauge) + 1];
        for (var before = Volatile.Read(ref highest); now > before;)
        {
            var found = Interlocked.CompareExchange(ref highest, now, before);
            if (found == before) return;
            before = found;
        }
    }

    /// <summary>A client's subscriptions have become more, or fewer.</summary>
    public void AddSubscriptions(bool isShared, int amount)
    {
        Add(Gauge.Subscriptions, amount);
        Add(isShared ? Gauge.SubscriptionsShared : Gauge.Subscribers, amount);
    }

    /// <summary>The value now.</summary>
    public long Read(Gauge gauge) => Volatile.Read(ref values[At(gauge)]);

    /// <summary>The highest value since the start.</summary>
    public long Highest(Gauge gauge) => Volatile.Read(ref values[At(gauge) + 1]);

    /// <summary>Every gauge by EMQ X's name, with its value and the highest since the start.</summary>
    public IEnumerable<(string Name, long Count, long Max)> ReadAll()
    {
        foreach (var (name, gauge) in Names) yield return (name, Read(gauge), Highest(gauge));
    }

    /// <summary>The first place stays free, so that no gauge shares a line with the array's header.</summary>
    private static int At(Gauge gauge) => ((int)gauge + 1) * Stride;
}
