using System.Numerics;
using Broker.Gateway.Mqtt.Limits;
using Broker.Tests.Unit.Grains.Storage;
using Xunit;

namespace Broker.Tests.Unit.Gateway.Mqtt.Limits;

public class TokenBucketTests
{
    private readonly ManualClock clock = new();

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    [InlineData(5)]
    public void HoldsWhatTheModelHolds_WhateverHappens(int seed)
    {
        var random = new Random(seed);
        for (var round = 0; round < 200; round++)
        {
            var rate = new Rate(Pick(random, TokenBucket.MaxBurst), TimeSpan.FromMilliseconds(Pick(random, 3_600_000)));
            var burst = random.Next(3) == 0 ? 0 : Pick(random, TokenBucket.MaxBurst);
            var bucket = new TokenBucket(rate, burst, clock);
            var model = new Model(rate, burst == 0 ? rate.Amount : burst);
            for (var step = 0; step < 50; step++)
            {
                if (random.Next(2) == 0)
                {
                    var ticks = Pick(random, random.Next(10) == 0 ? TimeSpan.TicksPerDay * 1000 : TimeSpan.TicksPerSecond);
                    clock.Advance(new TimeSpan(ticks));
                }

                model.Refill(clock.GetTimestamp());
                var wanted = Pick(random, model.Burst);
                Assert.Equal(model.Has(wanted), bucket.Has(wanted));
                Assert.Equal(model.Has(wanted), bucket.WaitFor(wanted) == TimeSpan.Zero);
                if (random.Next(2) == 0)
                {
                    var taken = Pick(random, Math.Min(model.Burst, 1_000_000));
                    bucket.Take(taken);
                    model.Take(taken);
                }
            }
        }
    }

    [Theory]
    [InlineData(3, 1000, 2)]
    [InlineData(100, 1000, 10)]
    [InlineData(7, 3_600_000, 2)]
    public void GivesExactlyTheRate_WhenAskedAllTheTime(int amount, int periodMs, int burst)
    {
        var bucket = new TokenBucket(new Rate(amount, TimeSpan.FromMilliseconds(periodMs)), burst, clock);
        var taken = 0;
        // A step that does not divide the period: what is left over must not get lost.
        var step = TimeSpan.FromMicroseconds(periodMs * 1000L / amount / 3.7);
        var end = clock.GetUtcNow() + TimeSpan.FromMilliseconds(periodMs) * 10;
        for (; clock.GetUtcNow() < end; clock.Advance(step))
        {
            for (; bucket.Has(1); taken++) bucket.Take(1);
        }

        Assert.InRange(taken, (amount * 10) + burst - 1, (amount * 10) + burst);
    }

    [Fact]
    public void WaitIsLongEnoughAndNoLonger_WhenItIsInDebt()
    {
        var bucket = new TokenBucket(new Rate(100, TimeSpan.FromSeconds(1)), 10, clock);
        bucket.Take(25);
        var wait = bucket.WaitFor(2);
        Assert.InRange(wait, TimeSpan.FromMilliseconds(170), TimeSpan.FromMilliseconds(170.01));
        clock.Advance(wait - TimeSpan.FromMilliseconds(1));
        Assert.False(bucket.Has(2));
        clock.Advance(TimeSpan.FromMilliseconds(1));
        Assert.True(bucket.Has(2));
    }

    [Fact]
    public void DebtHasAnEnd_WhenTooMuchIsTaken()
    {
        var bucket = new TokenBucket(new Rate(TokenBucket.MaxBurst, TimeSpan.FromHours(1)), 0, clock);
        for (var i = 0; i < 100; i++) bucket.Take(268_435_460);
        Assert.False(bucket.Has(1));
        clock.Advance(TimeSpan.FromHours(3));
        Assert.True(bucket.Has(1));
    }

    [Fact]
    public void NothingIsAllocated_WhenAPacketIsTaken()
    {
        var bucket = new TokenBucket(new Rate(1000, TimeSpan.FromSeconds(1)), 0, TimeProvider.System);
        bucket.Take(1);
        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var i = 0; i < 1000; i++)
        {
            bucket.Take(1);
            bucket.Has(1);
        }

        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
    }

    /// <summary>Small and large numbers alike.</summary>
    private static long Pick(Random random, long most) => Math.Max(1, random.NextInt64(most + 1) >> random.Next(40));

    /// <summary>The same in fractions of unlimited size.</summary>
    private sealed class Model(Rate rate, long burst)
    {
        private readonly BigInteger period = rate.Period.Ticks / 10;
        private BigInteger level = new BigInteger(burst) * (rate.Period.Ticks / 10);
        private long at = -1;

        public long Burst => burst;

        public void Refill(long stamp)
        {
            var now = stamp / 10;
            if (at >= 0) level = BigInteger.Min(burst * period, level + (new BigInteger(now - at) * rate.Amount));
            at = now;
        }

        public bool Has(long tokens) => level >= tokens * period;

        public void Take(long tokens) => level -= tokens * period;
    }
}
