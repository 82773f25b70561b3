using Broker.Gateway.Modules;
using Broker.Tests.Unit.Grains.Storage;
using Microsoft.Extensions.Options;
using Xunit;

namespace Broker.Tests.Unit.Gateway.Modules;

/// <summary>The slowest are kept, as many as are wanted, for as long as is wanted.</summary>
public sealed class SlowSubscriptionsTests : IDisposable
{
    private readonly ManualClock clock = new();
    private readonly SlowSubscriptions slow;

    public SlowSubscriptionsTests()
    {
        var states = new ModuleTable();
        var modules = new Broker.Gateway.Modules.Modules(states, null!, Options.Create(new ModuleOptions { SlowSubscriptions = true }));
        slow = new SlowSubscriptions(modules, states, Options.Create(new SlowSubscriptionOptions { TopCount = 3 }), clock);
    }

    public void Dispose() => slow.Dispose();

    [Fact]
    public void SlowestAreKept_WhenThereAreMore()
    {
        foreach (var milliseconds in new long[] { 499, 700, 500, 900, 650, 800, 600 }) slow.Add("c", $"t/{milliseconds}", milliseconds);
        Assert.Equal([700L, 800, 900], Times());
        Assert.False(slow.IsSlow(700));
        slow.Add("c", "t/700", 1000);
        slow.Add("c", "t/700", 600);
        slow.Add("other", "t/700", 950);
        Assert.Equal([900L, 950, 1000], Times());
        Assert.Equal(3, slow.Clear());
        Assert.True(slow.IsSlow(500));
        Assert.Empty(slow.Read());
    }

    [Fact]
    public void ThoseThatGetNoSlowerGo_AfterAWhile()
    {
        slow.Add("a", "t", 600);
        slow.Add("b", "t", 600);
        clock.Advance(TimeSpan.FromMinutes(4));
        slow.Add("a", "t", 601);
        slow.Add("b", "t", 599);
        clock.Advance(TimeSpan.FromMinutes(2));
        Assert.Equal(["a"], slow.Read().Select(one => one.ClientId));
    }

    private long[] Times() => [.. slow.Read().Select(one => one.Milliseconds).Order()];
}
