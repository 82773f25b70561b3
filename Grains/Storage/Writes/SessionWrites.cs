namespace Broker.Grains.Storage.Writes;

/// <summary>Writes the header over what is stored, except client identifier, partition and creation time.</summary>
internal sealed class SaveSession(SessionLease lease, SessionHeader header) : SessionWrite(lease)
{
    /// <summary>What to store.</summary>
    public SessionHeader Header { get; } = header;

    /// <inheritdoc/>
    /// <remarks>That a connection has ended is kept through an outage, or will and expiry would never come due.</remarks>
    public override bool CarriesData => Header.IsConnected;

    /// <inheritdoc/>
    public override long SizeBytes => (2 * RowBytes) + (Header.Will?.Payload.Length ?? 0);
}

/// <summary>Takes a session out with all its rows. Later removals of its owner are then done already; its new data is refused.</summary>
internal sealed class DeleteSession(SessionLease lease) : SessionWrite(lease)
{
    /// <inheritdoc/>
    public override bool CarriesData => false;
}

/// <summary>Adds a subscription or replaces the one with the same filter.</summary>
internal sealed class SaveSubscription(SessionLease lease, SessionSubscription subscription) : SessionWrite(lease)
{
    /// <summary>What to store.</summary>
    public SessionSubscription Subscription { get; } = subscription;

    /// <inheritdoc/>
    public override bool CarriesData => true;
}

/// <summary>Takes a subscription out, if there is one with this filter.</summary>
internal sealed class RemoveSubscription(SessionLease lease, string filter) : SessionWrite(lease)
{
    /// <summary>The whole topic filter.</summary>
    public string Filter { get; } = filter;

    /// <inheritdoc/>
    public override bool CarriesData => false;
}

/// <summary>Saves that an inbound QoS 2 message was taken, so that its repetition is not taken again. [MQTT-4.3.3-10]</summary>
internal sealed class AddReceipt(SessionLease lease, ushort packetIdentifier, long number) : SessionWrite(lease)
{
    /// <summary>The publisher's packet identifier; adding it twice is one, with the later number.</summary>
    public ushort PacketIdentifier { get; } = packetIdentifier;

    /// <summary>The message's number towards the shards.</summary>
    public long Number { get; } = number;

    /// <inheritdoc/>
    public override bool CarriesData => true;
}

/// <summary>Forgets an inbound QoS 2 message once PUBREL came. [MQTT-4.3.3-12]</summary>
internal sealed class RemoveReceipt(SessionLease lease, ushort packetIdentifier) : SessionWrite(lease)
{
    /// <summary>The publisher's packet identifier; nothing happens if it is unknown.</summary>
    public ushort PacketIdentifier { get; } = packetIdentifier;

    /// <inheritdoc/>
    public override bool CarriesData => false;
}
