namespace Broker.Tests.Protocol.Harness;

/// <summary>The real clock plus what a test has added to it. Timers run in real time; whoever compares times sees the jump.</summary>
internal sealed class ShiftedClock : TimeProvider
{
    private long shiftTicks;

    public override DateTimeOffset GetUtcNow() => System.GetUtcNow() + new TimeSpan(Volatile.Read(ref shiftTicks));

    public override long TimestampFrequency => TimeSpan.TicksPerSecond;

    public override long GetTimestamp() => System.GetElapsedTime(0).Ticks + Volatile.Read(ref shiftTicks);

    /// <summary>Lets time pass at once.</summary>
    public void Advance(TimeSpan time) => Interlocked.Add(ref shiftTicks, time.Ticks);
}
