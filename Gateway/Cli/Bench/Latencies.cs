using System.Numerics;

namespace Broker.Gateway.Cli.Bench;

/// <summary>A histogram of times: 128 steps to each power of two of nanoseconds, which is to 1 %. Each thread counts in one of its own.</summary>
internal sealed class Latencies : IDisposable
{
    private const int StepBits = 7, Steps = 1 << StepBits;
    private readonly ThreadLocal<long[]> counts = new(() => new long[(64 - StepBits + 1) * Steps], trackAllValues: true);

    /// <summary>Counts a time; one that is negative, as when two machines' clocks differ, as 0.</summary>
    public void Record(long nanoseconds) => counts.Value![BucketOf(Math.Max(nanoseconds, 0))]++;

    /// <summary>What has been counted up to now.</summary>
    public LatencySnapshot Take()
    {
        var sum = new long[(64 - StepBits + 1) * Steps];
        foreach (var one in counts.Values)
        {
            for (var at = 0; at < sum.Length; at++) sum[at] += Volatile.Read(ref one[at]);
        }

        return new LatencySnapshot(sum);
    }

    public void Dispose() => counts.Dispose();

    /// <summary>The upper end of what a bucket counts, in nanoseconds.</summary>
    internal static long TopOf(int bucket)
    {
        var shift = bucket < 2 * Steps ? 0 : (bucket >> StepBits) - 1;
        var step = bucket < 2 * Steps ? bucket : (bucket & (Steps - 1)) + Steps;
        return (((long)step + 1) << shift) - 1;
    }

    internal static int BucketOf(long nanoseconds)
    {
        if (nanoseconds < Steps) return (int)nanoseconds;
        var shift = BitOperations.Log2((ulong)nanoseconds) - StepBits;
        return ((shift + 1) << StepBits) + (int)(nanoseconds >> shift) - Steps;
    }
}

/// <summary>How often each time was seen.</summary>
internal sealed class LatencySnapshot(long[] counts)
{
    public long Count { get; } = counts.Sum();

    /// <summary>What came since an earlier one.</summary>
    public LatencySnapshot Since(LatencySnapshot earlier) => new([.. counts.Zip(earlier.Counts, (now, then) => now - then)]);

    private long[] Counts => counts;

    /// <summary>The time in microseconds that a part of all does not exceed; 0 if there are none.</summary>
    /// <param name="part">0 to 1; 1 is the longest.</param>
    public double Microseconds(double part)
    {
        if (Count == 0) return 0;
        long wanted = Math.Clamp((long)Math.Ceiling(Count * part), 1, Count), seen = 0;
        for (var at = 0; at < counts.Length; at++)
        {
            seen += counts[at];
            if (seen >= wanted) return Latencies.TopOf(at) / 1000.0;
        }

        return 0;
    }
}
