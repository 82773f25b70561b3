using System.Threading.Channels;

namespace Broker.Tests.Unit.Grains.Storage;

/// <summary>A clock that stands still until it is told to go on; whoever sets a timer is announced.</summary>
internal sealed class ManualClock : TimeProvider
{
    private readonly Lock gate = new();
    private readonly List<ManualTimer> timers = [];
    private readonly Channel<bool> armed = Channel.CreateUnbounded<bool>();
    private DateTimeOffset now = new(2026, 1, 2, 3, 4, 5, TimeSpan.Zero);

    public override long TimestampFrequency => TimeSpan.TicksPerSecond;

    public override DateTimeOffset GetUtcNow() => now;

    public override long GetTimestamp() => now.Ticks;

    /// <summary>Waits until one more timer was set.</summary>
    public async Task TimerSetAsync() => await armed.Reader.ReadAsync().AsTask().WaitAsync(TimeSpan.FromSeconds(20));

    public void Advance(TimeSpan time)
    {
        List<ManualTimer> due;
        lock (gate)
        {
            now += time;
            due = timers.FindAll(timer => timer.Due <= now);
            timers.RemoveAll(timer => timer.Due <= now);
        }

        foreach (var timer in due) timer.Ring();
    }

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
    {
        var timer = new ManualTimer(() => callback(state), now + dueTime);
        lock (gate) timers.Add(timer);
        armed.Writer.TryWrite(true);
        return timer;
    }

    private sealed class ManualTimer(Action ring, DateTimeOffset due) : ITimer
    {
        public DateTimeOffset Due => due;

        public void Ring() => ring();

        public bool Change(TimeSpan dueTime, TimeSpan period) => throw new NotSupportedException();

        public void Dispose()
        {
        }

        public ValueTask DisposeAsync() => ValueTask.CompletedTask;
    }
}
