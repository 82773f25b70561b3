using Broker.Grains.Interfaces.Topics;

namespace Broker.Grains.Retained;

/// <summary>How far a paged read of <see cref="RetainedTopics{TValue}"/> has come; the default value is the beginning.</summary>
internal struct RetainedCursor
{
    /// <summary>The read goes on at the first topic that is not below this, in byte order.</summary>
    internal TopicName? From { get; set; }

    /// <summary>Nothing is left to read.</summary>
    internal bool Done { get; set; }
}
