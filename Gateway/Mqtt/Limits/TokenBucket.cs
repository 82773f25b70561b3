namespace Broker.Gateway.Mqtt.Limits;

/// <summary>A token bucket: so many tokens come in a period, and at most a burst of them is kept.</summary>
/// <remarks>
/// Not thread-safe. In whole numbers: a token is as many units as the period has microseconds, and a microsecond brings as many units as the rate has
/// tokens. At 3 a second a token is 1,000,000 units, and 3 units come each microsecond: nothing is rounded, so nothing is lost or won however often it is asked.
/// A burst of 2^30 tokens an hour is 3.9e18 units, which a long holds.
/// </remarks>
internal sealed class TokenBucket
{
    /// <summary>A burst above this would not fit into a long.</summary>
    public const long MaxBurst = 1_000_000_000;

    /// <summary>Deeper in debt nobody gets: one packet is at most 1e18 units.</summary>
    private const long DeepestDebt = -4_000_000_000_000_000_000;

    private readonly TimeProvider time;
    private readonly long stampsPerMicrosecond;
    private readonly long unitsPerToken;
    private readonly long unitsPerMicrosecond;
    private readonly long capacity;
    private long level;
    private long at;

    /// <summary>A full bucket.</summary>
    /// <param name="burst">Most tokens it keeps; 0 is as many as come in one period.</param>
    public TokenBucket(Rate rate, long burst, TimeProvider time)
    {
        this.time = time;
        stampsPerMicrosecond = Math.Max(1, time.TimestampFrequency / 1_000_000);
        (unitsPerToken, unitsPerMicrosecond) = (rate.Period.Ticks / TimeSpan.TicksPerMicrosecond, rate.Amount);
        Burst = burst > 0 ? burst : rate.Amount;
        level = capacity = Burst * unitsPerToken;
        at = time.GetTimestamp() / stampsPerMicrosecond;
    }

    /// <summary>Most tokens it keeps.</summary>
    public long Burst { get; }

    /// <summary>Whether it holds as many tokens now.</summary>
    public bool Has(long tokens)
    {
        Refill(time.GetTimestamp());
        return Holds(tokens);
    }

    /// <summary>Whether it held as many tokens when it was last filled up, less those taken since.</summary>
    public bool Holds(long tokens) => level >= tokens * unitsPerToken;

    /// <summary>Takes tokens, also those it does not hold yet.</summary>
    public void Take(long tokens) => level = Math.Max(DeepestDebt, level - (tokens * unitsPerToken));

    /// <summary>How long it takes until it holds as many tokens; zero if it does.</summary>
    public TimeSpan WaitFor(long tokens)
    {
        Refill(time.GetTimestamp());
        var missing = (Math.Min(tokens, Burst) * unitsPerToken) - level;
        return missing <= 0 ? TimeSpan.Zero : TimeSpan.FromMicroseconds((missing / unitsPerMicrosecond) + 1);
    }

    /// <summary>How many tokens come in some milliseconds, but at least one.</summary>
    public long Within(int milliseconds) => Math.Max(1, milliseconds * 1000 * unitsPerMicrosecond / unitsPerToken);

    /// <summary>Fills in what has come until a moment.</summary>
    /// <param name="timestamp">As <see cref="TimeProvider.GetTimestamp"/> has it.</param>
    public void Refill(long timestamp)
    {
        var now = timestamp / stampsPerMicrosecond;
        var elapsed = now - at;
        if (elapsed <= 0) return;
        at = now;
        var missing = capacity - level;
        // Divided instead of multiplied: a client may come back after years.
        level = elapsed > missing / unitsPerMicrosecond ? capacity : level + (elapsed * unitsPerMicrosecond);
    }
}
