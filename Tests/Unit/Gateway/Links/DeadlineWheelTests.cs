using Broker.Gateway.Links;
using Broker.Tests.Unit.Grains.Storage;
using Xunit;

namespace Broker.Tests.Unit.Gateway.Links;

public class DeadlineWheelTests
{
    private static readonly TimeSpan Tick = TimeSpan.FromMilliseconds(250);
    private readonly ManualClock clock = new();
    private readonly ManualLoop loop;
    private readonly DeadlineWheel wheel;
    private readonly List<string> due = [];

    public DeadlineWheelTests()
    {
        loop = new ManualLoop(clock);
        wheel = new DeadlineWheel(loop, clock);
    }

    [Fact]
    public void DeadlinesComeDueInOrderAndNeverEarly_WhenTimePasses()
    {
        foreach (var ms in new[] { 1000, 250, 600, 0, 90_000 }) wheel.Set(new Named(this, $"{ms}"), TimeSpan.FromMilliseconds(ms));
        Pass(1);
        Assert.Equal(["0"], due);
        Pass(1);
        Assert.Equal(["0", "250"], due);
        Pass(1);
        Assert.Equal(["0", "250", "600"], due);
        Pass(1);
        Assert.Equal(3, due.Count); // 1000 ms have passed, but a deadline may come up to a tick later
        Pass(1);
        Assert.Equal(["0", "250", "600", "1000"], due);
        Pass(355);
        Assert.Equal(4, due.Count);
        Pass(1);
        Assert.Equal("90000", due[^1]);
    }

    [Fact]
    public void NoTimerRuns_WhenNothingIsSet()
    {
        Assert.Equal(0, loop.Timers);
        var deadline = new Named(this, "a");
        wheel.Clear(deadline);
        wheel.Set(deadline, Tick);
        wheel.Set(deadline, Tick);
        Assert.Equal(1, loop.Timers);
        Assert.True(deadline.IsSet);
        wheel.Clear(deadline);
        Assert.False(deadline.IsSet);
        Pass(1);
        Assert.Equal(0, loop.Timers);
        Assert.Empty(due);
    }

    [Fact]
    public void LaterTimeCounts_WhenADeadlineIsMoved()
    {
        var deadline = new Named(this, "a");
        for (var i = 0; i < 20; i++)
        {
            wheel.Set(deadline, 4 * Tick);
            Pass(3);
        }

        Assert.Empty(due);
        Pass(2);
        Assert.Equal(["a"], due);
        Assert.False(deadline.IsSet);
        Pass(50);
        Assert.Single(due);
    }

    [Fact]
    public void DeadlineOfALaterTurnWaits_WhenItSharesASlot()
    {
        wheel.Set(new Named(this, "now"), 10 * Tick);
        wheel.Set(new Named(this, "turn later"), (10 + 4096) * Tick);
        Pass(4000);
        Assert.Equal(["now"], due);
        Pass(106);
        Assert.Single(due);
        Pass(1);
        Assert.Equal(["now", "turn later"], due);
    }

    [Theory]
    [InlineData("cleared", new[] { "a", "c" })]
    [InlineData("moved", new[] { "a", "c", "b" })]
    [InlineData("moved away and cleared", new[] { "a", "c" })]
    public void OthersAreNotHarmed_WhenOneActsOnItsNeighbourInsideOnDue(string act, string[] expected)
    {
        var b = new Named(this, "b");
        var a = new Named(this, "a", () =>
        {
            if (act.StartsWith("moved", StringComparison.Ordinal)) wheel.Set(b, 3 * Tick);
            if (act.EndsWith("cleared", StringComparison.Ordinal)) wheel.Clear(b);
        });
        foreach (var deadline in new[] { a, b, new Named(this, "c") }) wheel.Set(deadline, Tick);
        Pass(2);
        Assert.Equal(["a", "c"], due);
        Pass(10);
        Assert.Equal(expected, due);
        wheel.Set(new Named(this, "again"), 3 * Tick);
        Pass(4);
        Assert.Equal([.. expected, "again"], due);
        Pass(1);
        Assert.Equal(0, loop.Timers);
    }

    [Fact]
    public void DeadlineComesAgain_WhenItIsSetInsideOnDue()
    {
        Named? self = null;
        self = new Named(this, "a", () => wheel.Set(self!, TimeSpan.Zero));
        wheel.Set(self, TimeSpan.Zero);
        Pass(5);
        Assert.Equal(5, due.Count);
        loop.Advance(TimeSpan.FromHours(2));
        Assert.Equal(6, due.Count);
    }

    [Fact]
    public void AllComeDueOnceInOneRun_WhenTheClockPausesForLong()
    {
        for (var i = 0; i < 10_000; i++) wheel.Set(new Named(this, $"{i}"), i * Tick);
        wheel.Set(new Named(this, "late"), TimeSpan.FromDays(2));
        Pass(1);
        loop.Advance(TimeSpan.FromDays(1));
        Assert.Equal(10_000, due.Distinct().Count());
        Assert.Equal(10_000, due.Count);
        loop.Advance(TimeSpan.FromDays(1));
        Assert.Equal("late", due[^1]);
        Assert.Equal(0, loop.Timers);
    }

    [Fact]
    public void OthersStillComeDue_WhenOneThrows()
    {
        wheel.Set(new Named(this, "bad", () => throw new InvalidOperationException()), Tick);
        wheel.Set(new Named(this, "good"), Tick);
        Assert.Throws<InvalidOperationException>(() => Pass(2));
        Pass(1);
        Assert.Equal(["bad", "good"], due);
    }

    private void Pass(int ticks)
    {
        for (var i = 0; i < ticks; i++) loop.Advance(Tick);
    }

    private sealed class Named(DeadlineWheelTests test, string name, Action? then = null) : Deadline
    {
        public override void OnDue()
        {
            test.due.Add(name);
            then?.Invoke();
        }
    }
}
