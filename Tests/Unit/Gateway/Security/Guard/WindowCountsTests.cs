using Broker.Gateway.Security.Guard;
using Broker.Tests.Unit.Grains.Storage;
using Xunit;

namespace Broker.Tests.Unit.Gateway.Security.Guard;

public class WindowCountsTests
{
    private static readonly TimeSpan Window = TimeSpan.FromSeconds(60);
    private readonly ManualClock clock = new();

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    public void CountsWhatTheModelCounts_WhateverHappens(int seed)
    {
        const int Capacity = 8;
        const int Threshold = 5;
        var random = new Random(seed);
        var counts = new WindowCounts<int>(Capacity, Window, Threshold, clock);
        var model = new List<(int Key, List<DateTimeOffset> Events, DateTimeOffset Began)>();
        for (var step = 0; step < 20_000; step++)
        {
            clock.Advance(TimeSpan.FromSeconds(random.Next(10) == 0 ? random.Next(90) : random.Next(4)));
            var now = clock.GetUtcNow();
            // The naive one forgets at once who has been quiet for a window.
            model.RemoveAll(one => now - one.Events[^1] >= Window);
            var key = random.Next(12);
            var at = model.FindIndex(one => one.Key == key);
            switch (random.Next(6))
            {
                case 0:
                    counts.Remove(key);
                    if (at >= 0) model.RemoveAt(at);
                    break;
                case 1:
                    Assert.Equal(at >= 0 && now - model[at].Began < Window ? model[at].Events.Count : 0, counts.Read(key));
                    break;
                default:
                    var entry = at >= 0 ? model[at] : (key, [], now);
                    if (at >= 0) model.RemoveAt(at);
                    else if (model.Count == Capacity) model.RemoveAt(0);
                    if (now - entry.Began >= Window) entry = (key, [], now);
                    entry.Events.Add(now);
                    if (entry.Events.Count >= Threshold) entry.Began = now;
                    model.Add(entry);
                    Assert.Equal(entry.Events.Count, counts.Add(key));
                    break;
            }

            Assert.InRange(counts.Count, model.Count, Capacity);
        }
    }

    [Fact]
    public void MemoryIsGivenBack_WhenManyHaveBeenQuiet()
    {
        var counts = new WindowCounts<int>(1000, Window, 10, clock);
        for (var i = 0; i < 1000; i++) counts.Add(i);
        clock.Advance(Window);
        for (var i = 0; i < 600; i++) counts.Add(1);
        Assert.Equal(1, counts.Count);
    }

    [Fact]
    public void CountStays_WhenItHasReachedTheThresholdAndGoesOn()
    {
        var counts = new WindowCounts<string>(10, Window, 3, clock);
        for (var i = 1; i <= 10; i++)
        {
            Assert.Equal(i, counts.Add("a"));
            clock.Advance(TimeSpan.FromSeconds(i < 3 ? 10 : 59));
        }

        clock.Advance(TimeSpan.FromSeconds(1));
        Assert.Equal(1, counts.Add("a"));
    }
}
