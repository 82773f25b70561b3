using Broker.Grains.Interfaces.Messages;
using Broker.Grains.Interfaces.Topics;

namespace Broker.Grains.Interfaces.Routing;

/// <summary>A shard whose grain is active in this process, reached without a grain call.</summary>
/// <remarks>Thread-safe. The grain owns it and takes it back when it deactivates: from then on every call answers false and the
/// caller goes through <see cref="ITopicShardGrain"/>. What a caller may do here is what the grain's methods do, no more.</remarks>
public interface ILocalShard
{
    /// <summary>Where messages on a topic go at this moment.</summary>
    /// <returns>False if the shard is not here any more.</returns>
    bool TryMatch(TopicName topic, out IShardMatch match);

    /// <summary>Adds and removes routes; on return every later <see cref="TryMatch"/> sees them (promise 2).</summary>
    /// <returns>False if the shard is not here any more; then nothing was changed.</returns>
    bool TryChange(ReadOnlySpan<RouteChange> changes);

    /// <summary>Adds the route of an exclusive filter if nobody else holds it.</summary>
    /// <returns>False if the shard is not here any more.</returns>
    bool TryClaim(in RouteChange change, out bool isGranted);

    /// <summary>Gives a message that a member of a shared subscription left behind to another member.</summary>
    /// <param name="filter">The shared filter.</param>
    /// <param name="shared">Gets the route if the member is in this process's gateway.</param>
    /// <returns>False if the shard is not here any more. A group without members drops the message and counts it.</returns>
    bool TryRedispatch(in TopicFilter filter, ApplicationMessage message, List<ulong> shared);
}

/// <summary>Where messages on one topic go. Valid while <see cref="IsCurrent"/>; may be kept and asked again.</summary>
public interface IShardMatch
{
    /// <summary>False once the shard's routes have changed or the shard has left this process.</summary>
    bool IsCurrent { get; }

    /// <summary>True if a publisher of QoS 1 or 2 must wait for answers: <see cref="Dispatch"/> needs its receipt.</summary>
    bool NeedsReceipt { get; }

    /// <summary>Hands a message to all destinations but this process's own gateway.</summary>
    /// <param name="message">The message, of the topic that was asked for.</param>
    /// <param name="receipt">Collects the answers; null for QoS 0 or when none is needed.</param>
    /// <param name="shared">Gets the routes in this process's gateway that shared subscriptions chose.</param>
    /// <returns>The routes in this process's gateway, in ascending order, for the caller to deliver to; never written to.</returns>
    ulong[] Dispatch(ApplicationMessage message, PublishReceipt? receipt, List<ulong> shared);

    /// <summary>How many destinations there are, this process's own gateway included.</summary>
    int DestinationCount { get; }
}

/// <summary>Finds the shards that are active in this process.</summary>
public interface ILocalShards
{
    /// <summary>The shard, or null when its grain is not active here.</summary>
    ILocalShard? Find(int shard);
}
