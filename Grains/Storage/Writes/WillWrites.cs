namespace Broker.Grains.Storage.Writes;

/// <summary>Saves the will of a transient session's connection to this node, for whoever buries the node. [MQTT-3.1.2-7]</summary>
internal sealed class SaveWill(StoredWill will) : StoreWrite
{
    /// <summary>What to store.</summary>
    public StoredWill Will { get; } = will;

    /// <inheritdoc/>
    public override bool CarriesData => true;

    /// <inheritdoc/>
    public override long SizeBytes => RowBytes + Will.Message.Payload.Length + Will.Message.Topic.Utf8.Length;
}

/// <summary>Takes out a will that was published or is void; nothing happens if it is not there.</summary>
internal sealed class RemoveWill(string clientId, long connectionNumber) : StoreWrite
{
    /// <summary>Whose will.</summary>
    public string ClientId { get; } = clientId;

    /// <summary>Which connection's.</summary>
    public long ConnectionNumber { get; } = connectionNumber;

    /// <inheritdoc/>
    public override bool CarriesData => false;
}
