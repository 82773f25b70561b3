namespace Broker.Gateway.Links;

/// <summary>Unix time in microseconds, out of timestamps: who has one need not ask for the time as well.</summary>
/// <remarks>Set by the machine's clock once a second, so that it follows when that is corrected. On one thread only.</remarks>
internal sealed class MicrosecondClock(TimeProvider time)
{
    private readonly double microsecondsPerTick = 1e6 / time.TimestampFrequency;
    private long setAt;
    private long setTo;
    private long nextSetting = long.MinValue;

    /// <summary>The time at a timestamp.</summary>
    /// <param name="timestamp">A recent one.</param>
    public long Read(long timestamp)
    {
        if (timestamp >= nextSetting) Set();
        return setTo + (long)Math.Floor((timestamp - setAt) * microsecondsPerTick);
    }

    private void Set()
    {
        setAt = time.GetTimestamp();
        setTo = (time.GetUtcNow() - DateTimeOffset.UnixEpoch).Ticks / TimeSpan.TicksPerMicrosecond;
        nextSetting = setAt + time.TimestampFrequency;
    }
}
