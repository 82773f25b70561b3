using Broker.Grains.Interfaces.Messages;
using Broker.Grains.Interfaces.Topics;

namespace Broker.Grains.Storage.Writes;

/// <summary>Stores the retained message of its topic, replacing the one before. [MQTT-3.3.1-5]</summary>
/// <param name="partition">The retained grain's partition of the topic, computed by the caller.</param>
/// <param name="message">The message, expiry included.</param>
internal sealed class SaveRetained(int partition, ApplicationMessage message) : StoreWrite
{
    /// <summary>The partition it is loaded with.</summary>
    public int Partition { get; } = partition;

    /// <summary>What to store.</summary>
    public ApplicationMessage Message { get; } = message;

    /// <inheritdoc/>
    public override bool CarriesData => true;

    /// <inheritdoc/>
    public override long SizeBytes => RowBytes + Message.Payload.Length + Message.Topic.Utf8.Length;
}

/// <summary>Takes out what is retained for a topic, if anything. [MQTT-3.3.1-6]</summary>
internal sealed class RemoveRetained(TopicName topic) : StoreWrite
{
    /// <summary>The topic.</summary>
    public TopicName Topic { get; } = topic;

    /// <inheritdoc/>
    public override bool CarriesData => false;
}
