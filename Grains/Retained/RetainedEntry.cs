using Broker.Grains.Interfaces.Topics;

namespace Broker.Grains.Retained;

/// <summary>One topic and what is retained under it; shared by the hash table and the ordered blocks, so that replacing a value touches neither.</summary>
internal sealed class RetainedEntry<TValue>(TopicName topic, TValue value)
    where TValue : class
{
    public TopicName Topic { get; } = topic;

    public TValue Value { get; set; } = value;
}
