using Broker.Grains.Interfaces.Cluster;
using Broker.Grains.Interfaces.Messages;

namespace Broker.Grains.Interfaces.Delayed;

/// <summary>Owns the messages that wait for their time and are then published to the topics of one shard. Key: the shard's number, from 0.</summary>
[Alias("IDelayedGrain")]
public interface IDelayedGrain : ISpreadGrain
{
    /// <summary>Stores messages, in order, to be published at their times.</summary>
    /// <returns>A code for each when it is committed: success, or quota exceeded when the store or a limit refuses it. Empty if a later batch of the link has been
    /// answered, so that nobody waits for this.</returns>
    [Alias("Store")]
    Task<ReasonCode[]> Store([Immutable] DelayedBatch batch);
}

/// <summary>What one link carries in one call.</summary>
/// <param name="Link">Names the sending link.</param>
/// <param name="Number">Rises by one with every batch; one that was seen is not stored again.</param>
[GenerateSerializer, Immutable, Alias("DelayedBatch")]
public sealed record DelayedBatch([property: Id(0)] Guid Link, [property: Id(1)] long Number, [property: Id(2)] DelayedMessage[] Messages);

/// <summary>A message that waits.</summary>
/// <param name="Message">As it will be published.</param>
/// <param name="DueAt">When, in Unix milliseconds.</param>
/// <param name="ReceivedAt">When it came, in Unix milliseconds.</param>
/// <param name="UserName">Who published it; null if that is not known.</param>
[GenerateSerializer, Immutable, SuppressReferenceTracking, Alias("DelayedMessage")]
public sealed record DelayedMessage([property: Id(0)] ApplicationMessage Message, [property: Id(1)] long DueAt, [property: Id(2)] long ReceivedAt, [property: Id(3)] string? UserName);

/// <summary>A partition of the waiting messages whose grain is active in this process. Thread-safe; false means it is not here any more.</summary>
public interface ILocalDelayed
{
    /// <summary>Stores a message to be published at its time.</summary>
    /// <param name="receipt">Gets the outcome, which its maker expects already, when it is committed; null when nobody waits.</param>
    bool TryStore(DelayedMessage message, PublishReceipt? receipt);
}

/// <summary>Finds the partitions of waiting messages that are active in this process.</summary>
public interface ILocalDelayedPartitions
{
    /// <summary>The partition, or null when its grain is not active here.</summary>
    ILocalDelayed? Find(int partition);
}
