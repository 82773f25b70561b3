using Broker.Grains.Interfaces.Messages;

namespace Broker.Gateway.Mqtt.Packets;

/// <summary>CONNACK. [MQTT-3.2]</summary>
/// <remarks>A null property is left out. For 3.x the encoder maps <see cref="Code"/> to the six return codes and drops the rest.</remarks>
internal sealed record ConnackPacket : ControlPacket
{
    public override PacketType Type => PacketType.Connack;

    public required ReasonCode Code { get; init; }

    public bool SessionPresent { get; init; }

    public uint? SessionExpiryInterval { get; init; }

    public ushort? ReceiveMaximum { get; init; }

    /// <summary>Null means QoS 2 is supported; the packet never says 2. [MQTT-3.2.2.3.4]</summary>
    public Qos? MaximumQos { get; init; }

    public bool? RetainAvailable { get; init; }

    public uint? MaximumPacketSize { get; init; }

    public string? AssignedClientIdentifier { get; init; }

    public ushort? TopicAliasMaximum { get; init; }

    public string? ReasonString { get; init; }

    public bool? WildcardSubscriptionAvailable { get; init; }

    public bool? SubscriptionIdentifiersAvailable { get; init; }

    public bool? SharedSubscriptionAvailable { get; init; }

    public ushort? ServerKeepAlive { get; init; }

    public string? ResponseInformation { get; init; }

    public string? ServerReference { get; init; }

    public string? AuthenticationMethod { get; init; }

    public byte[]? AuthenticationData { get; init; }
}
