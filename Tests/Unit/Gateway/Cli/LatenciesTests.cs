using Broker.Gateway.Cli.Bench;
using Xunit;

namespace Broker.Tests.Unit.Gateway.Cli;

/// <summary>The histogram of a benchmark.</summary>
public class LatenciesTests
{
    [Fact]
    public void BucketHoldsItsTimesAndNoOthers()
    {
        var random = new Random(1);
        var times = Enumerable.Range(0, 2000).Select(time => (long)time).Concat(Enumerable.Range(0, 100_000).Select(_ => random.NextInt64(1L << random.Next(1, 62))));
        foreach (var time in times)
        {
            var bucket = Latencies.BucketOf(time);
            Assert.InRange(time, bucket == 0 ? 0 : Latencies.TopOf(bucket - 1) + 1, Latencies.TopOf(bucket));
            Assert.True(Latencies.TopOf(bucket) - time <= time / 128 + 1);
        }
    }

    [Fact]
    public void PartsAreRight_WhateverThreadHasCounted()
    {
        using var latencies = new Latencies();
        Parallel.For(1, 100_001, time => latencies.Record(time * 1000L));
        var all = latencies.Take();
        Assert.Equal(100_000, all.Count);
        Assert.InRange(all.Microseconds(0.5), 50_000, 50_500);
        Assert.InRange(all.Microseconds(0.99), 99_000, 100_000);
        Assert.InRange(all.Microseconds(1), 100_000, 101_000);
        latencies.Record(5_000_000_000);
        latencies.Record(-7);
        var since = latencies.Take().Since(all);
        Assert.Equal(2, since.Count);
        Assert.InRange(since.Microseconds(1), 5_000_000, 5_050_000);
        Assert.Equal(0, new LatencySnapshot([0, 0]).Microseconds(0.5));
    }
}
