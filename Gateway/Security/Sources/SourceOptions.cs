using System.ComponentModel.DataAnnotations;

namespace Broker.Gateway.Security.Sources;

/// <summary>What all sources have whose answers come over the network.</summary>
internal abstract class SourceOptions : TlsClientOptions
{
    /// <summary>Queries at once.</summary>
    [Range(1, 1_000)]
    public int PoolSize { get; set; } = 8;

    /// <summary>Queries that may wait for their turn; the answer to more is <see cref="WhenDown"/> at once.</summary>
    [Range(0, 100_000)]
    public int MaxPending { get; set; } = 1_000;

    /// <summary>How long an answer may take, the wait for a turn included.</summary>
    [Range(typeof(TimeSpan), "00:00:00.1", "00:01:00")]
    public TimeSpan QueryTimeout { get; set; } = TimeSpan.FromSeconds(5);

    /// <summary>After so many failures, and as many as half of all in ten seconds, the source is not asked for a while.</summary>
    [Range(2, 1_000)]
    public int BreakAfter { get; set; } = 5;

    /// <summary>For how long; then one query tries whether it is back.</summary>
    [Range(typeof(TimeSpan), "00:00:00.5", "00:10:00")]
    public TimeSpan BreakTime { get; set; } = TimeSpan.FromSeconds(5);

    /// <summary>What is answered when the source cannot be asked: `deny`, or `ignore`, which leaves it to the next one.</summary>
    [RegularExpression("deny|ignore")]
    public string WhenDown { get; set; } = "deny";

    /// <inheritdoc cref="WhenDown"/>
    public bool IgnoresOutages => WhenDown == "ignore";

    /// <summary>How long what is known of a user is remembered; 0 asks each time. A changed password holds when it has passed.</summary>
    [Range(typeof(TimeSpan), "00:00:00", "1.00:00:00")]
    public TimeSpan UserCacheTime { get; set; }

    /// <summary>How long the rules for a client are remembered; 0 asks each time.</summary>
    [Range(typeof(TimeSpan), "00:00:00", "1.00:00:00")]
    public TimeSpan RuleCacheTime { get; set; } = TimeSpan.FromMinutes(1);

    /// <summary>Most users, and most clients' rules, that are remembered.</summary>
    [Range(1, 10_000_000)]
    public int CacheSize { get; set; } = 10_000;
}
