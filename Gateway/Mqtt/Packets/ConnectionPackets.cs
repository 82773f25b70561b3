using Broker.Grains.Interfaces.Messages;

namespace Broker.Gateway.Mqtt.Packets;

/// <summary>PINGREQ. [MQTT-3.12]</summary>
internal sealed record PingreqPacket : ControlPacket
{
    public static readonly PingreqPacket Instance = new();

    public override PacketType Type => PacketType.Pingreq;
}

/// <summary>PINGRESP. [MQTT-3.13]</summary>
internal sealed record PingrespPacket : ControlPacket
{
    public static readonly PingrespPacket Instance = new();

    public override PacketType Type => PacketType.Pingresp;
}

/// <summary>DISCONNECT. [MQTT-3.14] The server sends it in 5.0 only: 3.x knows no such packet in that direction.</summary>
internal sealed record DisconnectPacket(ReasonCode Code) : ControlPacket
{
    public override PacketType Type => PacketType.Disconnect;

    /// <summary>A changed session expiry interval in seconds; null when absent. [MQTT-3.14.2.2.2]</summary>
    public uint? SessionExpiryInterval { get; init; }

    public string? ReasonString { get; init; }

    public string? ServerReference { get; init; }
}

/// <summary>AUTH, 5.0 only. [MQTT-3.15]</summary>
internal sealed record AuthPacket(ReasonCode Code) : ControlPacket
{
    public override PacketType Type => PacketType.Auth;

    public string? AuthenticationMethod { get; init; }

    public byte[]? AuthenticationData { get; init; }

    public string? ReasonString { get; init; }
}
