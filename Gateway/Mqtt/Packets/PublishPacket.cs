using Broker.Grains.Interfaces.Messages;

namespace Broker.Gateway.Mqtt.Packets;

/// <summary>A PUBLISH as it was read, on the decoder's stack. [MQTT-3.3]</summary>
/// <remarks>The spans point into the receive buffer: they are good only until the handler returns.</remarks>
internal readonly ref struct PublishPacket
{
    /// <summary>The topic name as it came, up to 65,535 bytes: not yet checked for UTF-8, NUL and wildcards, since topics repeat and the
    /// connection checks each once, by TopicName.TryParse. Empty only in 5.0 and only with a topic alias.</summary>
    public required ReadOnlySpan<byte> Topic { get; init; }

    public required ReadOnlySpan<byte> Payload { get; init; }

    public required Qos Qos { get; init; }

    public required bool Retain { get; init; }

    public required bool Dup { get; init; }

    /// <summary>1 to 65,535; 0 for QoS 0.</summary>
    public required ushort PacketIdentifier { get; init; }

    /// <summary>1 to 65,535; 0 when absent.</summary>
    public ushort TopicAlias { get; init; }

    /// <summary>Lifetime in seconds; null is for ever.</summary>
    public uint? MessageExpiryInterval { get; init; }

    /// <summary>Null when there are none.</summary>
    public MessageProperties? Properties { get; init; }
}

/// <summary>A PUBLISH to be written. [MQTT-3.3]</summary>
internal readonly ref struct OutboundPublish
{
    public required ApplicationMessage Message { get; init; }

    /// <summary>The topic name as this client sees it (its mountpoint taken off); empty when only the alias is sent.</summary>
    public required ReadOnlySpan<byte> Topic { get; init; }

    /// <summary>The QoS of this delivery, not the message's.</summary>
    public required Qos Qos { get; init; }

    /// <summary>The RETAIN flag of this delivery.</summary>
    public bool Retain { get; init; }

    public bool Dup { get; init; }

    /// <summary>1 to 65,535; 0 for QoS 0.</summary>
    public ushort PacketIdentifier { get; init; }

    /// <summary>5.0: the alias to set or use; 0 is none.</summary>
    public ushort TopicAlias { get; init; }

    /// <summary>5.0: identifiers of all subscriptions that matched, none being 0. [MQTT-3.3.4-3], [MQTT-3.3.4-4], [MQTT-3.3.4-5]</summary>
    public ReadOnlySpan<int> SubscriptionIdentifiers { get; init; }

    /// <summary>5.0: what is left of the message expiry interval in seconds; null is for ever. [MQTT-3.3.2-6]</summary>
    public uint? MessageExpiryInterval { get; init; }
}
