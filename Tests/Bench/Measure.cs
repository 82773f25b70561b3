using System.Diagnostics;

namespace Broker.Bench;

/// <summary>Time and memory of a piece of work.</summary>
internal static class Measure
{
    /// <summary>Live bytes on the managed heap after a full collection.</summary>
    public static long LiveBytes()
    {
        GC.Collect(2, GCCollectionMode.Aggressive, blocking: true, compacting: true);
        return GC.GetTotalMemory(forceFullCollection: true);
    }

    /// <summary>Nanoseconds a call, and the longest single call, over <paramref name="count"/> calls with their number.</summary>
    public static (double Mean, double LongestMs) Each(int count, Action<int> call)
    {
        var longest = 0L;
        var start = Stopwatch.GetTimestamp();
        var last = start;
        for (var at = 0; at < count; at++)
        {
            call(at);
            var now = Stopwatch.GetTimestamp();
            longest = Math.Max(longest, now - last);
            last = now;
        }

        return ((last - start) * 1e9 / Stopwatch.Frequency / count, longest * 1e3 / Stopwatch.Frequency);
    }

    /// <summary>Nanoseconds a call; the best of five runs after a warm-up.</summary>
    public static double BestOfFive(int count, Action<int> call)
    {
        var best = double.MaxValue;
        for (var run = 0; run < 6; run++)
        {
            var start = Stopwatch.GetTimestamp();
            for (var at = 0; at < count; at++) call(at);
            var mean = Stopwatch.GetElapsedTime(start).TotalNanoseconds / count;
            if (run > 0) best = Math.Min(best, mean);
        }

        return best;
    }
}
