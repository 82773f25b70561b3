using Broker.Grains.Interfaces.Cluster;
using Broker.Grains.Interfaces.Messages;
using Broker.Grains.Interfaces.Topics;

namespace Broker.Grains.Interfaces.Retained;

/// <summary>Owns the retained messages of the topics of one shard. Key: the shard's number, from 0.</summary>
[Alias("IRetainedGrain")]
public interface IRetainedGrain : ISpreadGrain
{
    /// <summary>Stores, replaces or (empty payload) deletes retained messages, in order. [MQTT-3.3.1-5], [MQTT-3.3.1-6]</summary>
    /// <returns>A code for each message when it is committed: success, or quota exceeded when the store or a limit refuses it.</returns>
    [Alias("Store")]
    Task<ReasonCode[]> Store([Immutable] ApplicationMessage[] messages);

    /// <summary>One page of the retained messages that match a filter and have not expired.</summary>
    /// <param name="after"><see cref="RetainedPage.Next"/> of the page before; null for the first.</param>
    /// <param name="limit">How many at most, 1 to 1,000.</param>
    [Alias("Match")]
    Task<RetainedPage> Match(TopicFilter filter, TopicName? after, int limit);
}

/// <summary>Some of the retained messages that match.</summary>
/// <param name="Messages">In the partition's stable order.</param>
/// <param name="Next">Where the next page starts; null when this was the last.</param>
[GenerateSerializer, Immutable, Alias("RetainedPage")]
public readonly record struct RetainedPage([property: Id(0)] ApplicationMessage[] Messages, [property: Id(1)] TopicName? Next);

/// <summary>A partition of the retained messages whose grain is active in this process. Thread-safe; false means it is not here any more.</summary>
public interface ILocalRetained
{
    /// <summary>Stores, replaces or deletes a retained message.</summary>
    /// <param name="receipt">Gets the outcome, which its maker expects already, when it is committed; null when nobody waits.</param>
    bool TryStore(ApplicationMessage message, PublishReceipt? receipt);

    /// <inheritdoc cref="IRetainedGrain.Match"/>
    bool TryMatch(in TopicFilter filter, TopicName? after, int limit, out RetainedPage page);
}

/// <summary>Finds the retained partitions that are active in this process.</summary>
public interface ILocalRetainedPartitions
{
    /// <summary>The partition, or null when its grain is not active here.</summary>
    ILocalRetained? Find(int partition);
}
