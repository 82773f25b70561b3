using Broker.Grains.Interfaces.Messages;
using Broker.Grains.Interfaces.Sessions;

namespace Broker.Gateway.Mqtt.Packets;

/// <summary>SUBSCRIBE. [MQTT-3.8]</summary>
/// <param name="PacketIdentifier">1 to 65,535.</param>
/// <param name="Requests">At least one [MQTT-3.8.3-2]; the subscription identifier is already in each one's options.</param>
internal sealed record SubscribePacket(ushort PacketIdentifier, SubscriptionRequest[] Requests) : ControlPacket
{
    public override PacketType Type => PacketType.Subscribe;
}

/// <summary>One filter of a SUBSCRIBE: well-formed UTF-8 of 1 to 65,535 bytes, but not yet checked to be a topic filter,
/// since a bad one is answered with its own reason code in SUBACK.</summary>
internal readonly record struct SubscriptionRequest(string Filter, SubscriptionOptions Options);

/// <summary>SUBACK. [MQTT-3.9]</summary>
/// <param name="Codes">One for each filter, in order [MQTT-3.9.3-1]. For 3.x the encoder turns every code from 0x80 on into 0x80.</param>
internal sealed record SubackPacket(ushort PacketIdentifier, ReasonCode[] Codes, string? ReasonString = null) : ControlPacket
{
    public override PacketType Type => PacketType.Suback;
}

/// <summary>UNSUBSCRIBE. [MQTT-3.10]</summary>
/// <param name="Filters">At least one [MQTT-3.10.3-2]; well-formed UTF-8, not yet checked to be topic filters.</param>
internal sealed record UnsubscribePacket(ushort PacketIdentifier, string[] Filters) : ControlPacket
{
    public override PacketType Type => PacketType.Unsubscribe;
}

/// <summary>UNSUBACK. [MQTT-3.11]</summary>
/// <param name="Codes">One for each filter, in order; 3.x sends none.</param>
internal sealed record UnsubackPacket(ushort PacketIdentifier, ReasonCode[] Codes, string? ReasonString = null) : ControlPacket
{
    public override PacketType Type => PacketType.Unsuback;
}
