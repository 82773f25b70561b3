using Broker.Grains.Interfaces.Sessions;

namespace Broker.Grains.Storage;

/// <summary>One subscription of a durable session.</summary>
/// <param name="Filter">The whole topic filter, share prefix included; unique within the session.</param>
/// <param name="Number">Names the subscription within its session towards the shard.</param>
/// <param name="Shard">The shard its filter lives in; <see cref="Broad"/> when it lives in all.</param>
/// <param name="Options">Its options.</param>
internal sealed record SessionSubscription(string Filter, long Number, int Shard, SubscriptionOptions Options)
{
    /// <summary>The shard number of a filter that lives in every shard.</summary>
    public const int Broad = -1;

    /// <summary>Where its retained messages go on when its client is back: the partition, `/`, and the topic if not the partition's beginning; null if it has had all.</summary>
    public string? RetainedFrom { get; init; }
}

/// <summary>A subscription as a recovering shard loads it.</summary>
internal readonly record struct ShardSubscription(string ClientId, SessionSubscription Subscription);
