using Broker.Grains.Interfaces.Delayed;
using Broker.Grains.Interfaces.Messages;

namespace Broker.Grains.Storage.Writes;

/// <summary>Stores a message that is to be published later. Refused if its place is taken: somebody else writes to the partition too.</summary>
internal sealed class SaveDelayed(DelayedKey key, DelayedMessage waiting) : StoreWrite
{
    public DelayedKey Key { get; } = key;

    public DelayedMessage Waiting { get; } = waiting;

    /// <summary>What is noted with it, so that it is not taken again after it was published; null if it has no name between nodes.</summary>
    public OriginMark? OriginMark =>
        Waiting.Message is { Qos: Qos.ExactlyOnce, Origin: { } origin } ? new OriginMark(origin.Source, Key.Partition, origin.Number) : null;

    /// <inheritdoc/>
    public override bool CarriesData => true;

    /// <inheritdoc/>
    public override long SizeBytes => RowBytes + Waiting.Message.Payload.Length + 2L * Waiting.Message.Topic.Utf8.Length;
}

/// <summary>Gives messages that are about to be published their names between nodes, so that they have the same if it has to be done again.</summary>
internal sealed class NameDelayed(IReadOnlyList<(DelayedKey Key, MessageOrigin Origin)> names) : StoreWrite
{
    public IReadOnlyList<(DelayedKey Key, MessageOrigin Origin)> Names { get; } = names;

    /// <inheritdoc/>
    public override bool CarriesData => true;

    /// <inheritdoc/>
    public override int Count => Names.Count;
}

/// <summary>Takes out messages that were published, or will not be.</summary>
internal sealed class RemoveDelayed(IReadOnlyList<DelayedKey> keys) : StoreWrite
{
    public IReadOnlyList<DelayedKey> Keys { get; } = keys;

    /// <inheritdoc/>
    public override bool CarriesData => false;

    /// <inheritdoc/>
    public override int Count => Keys.Count;
}
