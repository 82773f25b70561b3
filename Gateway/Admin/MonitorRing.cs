using Broker.Grains.Interfaces.Metrics;

namespace Broker.Gateway.Admin;

/// <summary>What this node carried and held in each of the last two hours' minutes, and its rates just now. Thread-safe.</summary>
internal sealed class MonitorRing(BrokerGauges gauges, TimeProvider time)
{
    /// <summary>Minutes that are remembered.</summary>
    public const int Length = 120;

    /// <summary>The names of the series, in the order of their places.</summary>
    public static readonly string[] Names = ["dropped", "connection", "route", "subscriptions", "sent", "received"];

    private const int Dropped = 0, Connection = 1, Route = 2, Subscriptions = 3, Sent = 4, Received = 5;

    /// <summary>These grow for ever: a sample is what a minute has added.</summary>
    private static readonly int[] Counted = [Dropped, Sent, Received];
    private static readonly string[] Drops = ["messages.dropped", "delivery.dropped"];
    private readonly Lock gate = new();
    private readonly Queue<(long Minute, long[] Values)> samples = new();
    private long[]? begun;
    private long[] last = new long[Names.Length];
    private long lastAt;
    private long minute;
    private double sentRate;
    private double receivedRate;

    /// <summary>Looks at the numbers: to be called every few seconds.</summary>
    public void Take()
    {
        lock (gate)
        {
            var (values, at, now) = (ReadAll(), time.GetTimestamp(), time.GetUtcNow().ToUnixTimeMilliseconds() / 60_000);
            if (begun is null) (begun, minute) = (values, now);
            else Rate(values, time.GetElapsedTime(lastAt, at));
            if (now != minute) End(values, now);
            (last, lastAt) = (values, at);
        }
    }

    /// <summary>The samples, the oldest first: the minute's begin in Unix milliseconds, and a value for each name.</summary>
    public (long At, long[] Values)[] Samples
    {
        get
        {
            lock (gate) return [.. samples.Select(one => (one.Minute * 60_000, one.Values))];
        }
    }

    /// <summary>Messages a second, as of the last two looks; subscriptions and connections now.</summary>
    public (double Received, double Sent, long Subscriptions, long Connections) Current
    {
        get
        {
            lock (gate) return (receivedRate, sentRate, gauges.Read(Gauge.Subscriptions), gauges.Read(Gauge.Connections));
        }
    }

    private void Rate(long[] values, TimeSpan passed)
    {
        if (passed <= TimeSpan.Zero) return;
        receivedRate = (values[Received] - last[Received]) / passed.TotalSeconds;
        sentRate = (values[Sent] - last[Sent]) / passed.TotalSeconds;
    }

    /// <summary>A minute is over: what came since the one before is its.</summary>
    private void End(long[] values, long now)
    {
        var sample = (long[])values.Clone();
        foreach (var at in Counted) sample[at] -= begun![at];
        samples.Enqueue((minute, sample));
        if (samples.Count > Length) samples.Dequeue();
        (begun, minute) = (values, now);
    }

    private long[] ReadAll()
    {
        var counted = MetricNames.ReadAll().ToDictionary(one => one.Name, one => one.Value, StringComparer.Ordinal);
        var values = new long[Names.Length];
        values[Dropped] = Drops.Sum(name => counted[name]);
        values[Connection] = gauges.Read(Gauge.Connections);
        values[Route] = gauges.Read(Gauge.Topics);
        values[Subscriptions] = gauges.Read(Gauge.Subscriptions);
        values[Sent] = counted["messages.sent"];
        values[Received] = counted["messages.received"];
        return values;
    }
}
