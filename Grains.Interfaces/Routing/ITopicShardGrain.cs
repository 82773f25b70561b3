using Broker.Grains.Interfaces.Cluster;
using Broker.Grains.Interfaces.Messages;
using Broker.Grains.Interfaces.Topics;

namespace Broker.Grains.Interfaces.Routing;

/// <summary>Owns the routes of the topics of one shard. Key: the shard's number, from 0.</summary>
/// <remarks>It takes nothing before it has its routes from every live gateway and from the store.</remarks>
[Alias("ITopicShardGrain")]
public interface ITopicShardGrain : ISpreadGrain
{
    /// <summary>Routes messages in their order.</summary>
    /// <returns>A code for each message, when all its destinations have it: success, no matching subscribers (0x10), or why it was refused.
    /// A batch that was seen before is not routed again; its earlier answer is returned.</returns>
    [Alias("Publish")]
    Task<ReasonCode[]> Publish(PublishBatch batch);

    /// <summary>Adds and removes routes in order; on return every later publish sees them.</summary>
    [Alias("Change")]
    Task Change([Immutable] RouteChange[] changes);

    /// <summary>The same, but some additions are made only if nobody else holds their exclusive filter. Asked of the shard that decides (<see cref="ShardMap.DecidingShardOf"/>).</summary>
    /// <param name="conditional">Which of the changes those are.</param>
    /// <returns>For each change whether it was made; again true when it is repeated.</returns>
    [Alias("Claim")]
    Task<bool[]> Claim([Immutable] RouteChange[] changes, [Immutable] bool[] conditional);

    /// <summary>Gives messages that a member of a shared subscription left behind to another member.</summary>
    [Alias("Redispatch")]
    Task Redispatch(TopicFilter filter, [Immutable] ApplicationMessage[] messages);

    /// <summary>Who a message on a topic would go to. Nothing is sent.</summary>
    [Alias("Explain")]
    Task<MatchedRoute[]> Explain(TopicName topic);
}

/// <summary>A destination whose subscriptions match a topic.</summary>
/// <param name="Routes">The numbers by which it knows them.</param>
/// <param name="Group">The shared filter of whose group it is a member; null if it gets every message.</param>
/// <param name="Members">How many members the group has.</param>
[GenerateSerializer, Immutable, Alias("MatchedRoute")]
public sealed record MatchedRoute([property: Id(0)] RouteDestination Destination, [property: Id(1)] ulong[] Routes, [property: Id(2)] string? Group, [property: Id(3)] int Members);

/// <summary>What one link carries in one call.</summary>
/// <param name="Link">Names the sending link: unique for each (process, shard) and start of the process.</param>
/// <param name="Number">Rises by one with every batch; a retry repeats it.</param>
/// <param name="Messages">In the order of publication.</param>
[GenerateSerializer, Immutable, Alias("PublishBatch")]
public sealed record PublishBatch([property: Id(0)] Guid Link, [property: Id(1)] long Number, [property: Id(2)] ApplicationMessage[] Messages);
