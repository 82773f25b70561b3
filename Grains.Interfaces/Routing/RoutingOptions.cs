using System.ComponentModel.DataAnnotations;

namespace Broker.Grains.Interfaces.Routing;

/// <summary>How topics are spread over shards. Fixed when a cluster is created: the store remembers, and a differing value stops the start.</summary>
public sealed class RoutingOptions
{
    public const string Section = "Routing";

    /// <summary>How many shards share the topics, 1 to 4,096. More shards spread better over many silos and cost more for broad filters.</summary>
    [Range(1, 4096)]
    public int Shards { get; set; } = 64;

    /// <summary>How many leading levels decide a topic's shard, 1 to 8. A filter with a wildcard among them lives in every shard.</summary>
    [Range(1, 8)]
    public int ShardLevels { get; set; } = 2;

    /// <summary>How the member of a shared subscription is chosen, unless <see cref="GroupStrategies"/> says otherwise.</summary>
    public SharedStrategy SharedStrategy { get; set; } = SharedStrategy.Random;

    /// <summary>The strategy by share name.</summary>
    public Dictionary<string, SharedStrategy> GroupStrategies { get; init; } = [];

    /// <summary>How often each shard compares its routes with what gateways and sessions are subscribed to; 0 is never.</summary>
    [Range(typeof(TimeSpan), "00:00:00", "1.00:00:00")]
    public TimeSpan AuditInterval { get; set; } = TimeSpan.FromMinutes(10);

    /// <summary>How many topics' matches each shard remembers, 0 to 1,000,000.</summary>
    [Range(0, 1_000_000)]
    public int MatchCacheSize { get; set; } = 10_000;
}

/// <summary>Which member of a shared subscription gets a message.</summary>
public enum SharedStrategy
{
    /// <summary>Any.</summary>
    Random,

    /// <summary>One after the other.</summary>
    RoundRobin,

    /// <summary>The same until it leaves.</summary>
    Sticky,

    /// <summary>By the publisher's client identifier.</summary>
    HashClientId,

    /// <summary>By the topic name.</summary>
    HashTopic,
}
