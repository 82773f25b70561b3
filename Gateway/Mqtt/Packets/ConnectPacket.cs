using Broker.Grains.Interfaces.Messages;
using Broker.Grains.Interfaces.Topics;

namespace Broker.Gateway.Mqtt.Packets;

/// <summary>CONNECT. [MQTT-3.1]</summary>
internal sealed record ConnectPacket : ControlPacket
{
    public override PacketType Type => PacketType.Connect;

    public required ProtocolVersion Version { get; init; }

    /// <summary>Clean start in 5.0, clean session in 3.x.</summary>
    public required bool CleanStart { get; init; }

    /// <summary>Keep alive in seconds; 0 turns it off. [MQTT-3.1.2.10]</summary>
    public required ushort KeepAlive { get; init; }

    /// <summary>The client identifier; empty asks the server for one.</summary>
    public required string ClientId { get; init; }

    public string? UserName { get; init; }

    public byte[]? Password { get; init; }

    public WillPacket? Will { get; init; }

    /// <summary>Session expiry interval in seconds; null when absent (3.x has none). [MQTT-3.1.2.11.2]</summary>
    public uint? SessionExpiryInterval { get; init; }

    /// <summary>How many QoS 1 and 2 messages the client wants in flight; 65,535 when absent. [MQTT-3.1.2.11.3]</summary>
    public ushort ReceiveMaximum { get; init; } = ushort.MaxValue;

    /// <summary>Largest packet the client accepts, in bytes; null when absent. [MQTT-3.1.2.11.4]</summary>
    public uint? MaximumPacketSize { get; init; }

    /// <summary>Highest topic alias the client accepts; 0 when absent. [MQTT-3.1.2.11.5]</summary>
    public ushort TopicAliasMaximum { get; init; }

    public bool RequestResponseInformation { get; init; }

    /// <summary>False: reason strings and user properties go into PUBLISH, CONNACK and DISCONNECT only. [MQTT-3.1.2-29]</summary>
    public bool RequestProblemInformation { get; init; } = true;

    public string? AuthenticationMethod { get; init; }

    public byte[]? AuthenticationData { get; init; }
}

/// <summary>The will that a CONNECT carries. [MQTT-3.1.3.2]</summary>
/// <param name="Topic">Where it is to be published.</param>
/// <param name="Payload">What is to be published; owned by this record.</param>
/// <param name="Properties">The message's own properties; null when there are none.</param>
/// <param name="DelaySeconds">Will delay interval in seconds; 0 in 3.x. [MQTT-3.1.3.2.2]</param>
/// <param name="MessageExpiryInterval">Lifetime in seconds counted from its publication; null is for ever.</param>
internal sealed record WillPacket(
    TopicName Topic,
    byte[] Payload,
    Qos Qos,
    bool Retain,
    MessageProperties? Properties = null,
    uint DelaySeconds = 0,
    uint? MessageExpiryInterval = null);
