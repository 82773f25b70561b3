namespace Broker.Grains.Interfaces.Metrics;

/// <summary>The process's counters. Every thread counts in an array of its own, so counting costs a memory access and no contention.</summary>
public static class BrokerCounters
{
    private static readonly int Length = Enum.GetValues<Metric>().Length;
    private static readonly List<long[]> All = [];

    [ThreadStatic]
    private static long[]? mine;

    /// <summary>Counts one.</summary>
    public static void Add(Metric metric) => (mine ?? Register())[(int)metric]++;

    /// <summary>Counts several.</summary>
    public static void Add(Metric metric, long amount) => (mine ?? Register())[(int)metric] += amount;

    /// <summary>The sum over all threads since the process started.</summary>
    public static long Read(Metric metric)
    {
        lock (All) return All.Sum(counts => Volatile.Read(ref counts[(int)metric]));
    }

    private static long[] Register()
    {
        mine = new long[Length];
        lock (All) All.Add(mine);
        return mine;
    }
}
