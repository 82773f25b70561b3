using Broker.Gateway.Mqtt.Codec;
using Broker.Gateway.Mqtt.Packets;
using Broker.Grains.Interfaces.Messages;

namespace Broker.Tests.Unit.Gateway.Mqtt.Codec;

/// <summary>Keeps what a codec handed over, in order.</summary>
internal sealed class RecordingHandler : IPacketHandler
{
    public List<object> Received { get; } = [];

    public void OnPublish(in PublishPacket packet) => Received.Add(new ReadPublish(
        packet.Topic.ToArray(),
        packet.Payload.ToArray(),
        packet.Qos,
        packet.Retain,
        packet.Dup,
        packet.PacketIdentifier,
        packet.TopicAlias,
        packet.MessageExpiryInterval,
        packet.Properties));

    public void OnAcknowledgement(PacketType type, ushort packetIdentifier, ReasonCode code) =>
        Received.Add(new ReadAcknowledgement(type, packetIdentifier, code));

    public void OnPacket(ControlPacket packet) => Received.Add(packet);
}

/// <summary>A PUBLISH as a codec read it, copied off the stack.</summary>
internal sealed record ReadPublish(
    byte[] Topic,
    byte[] Payload,
    Qos Qos,
    bool Retain,
    bool Dup,
    ushort PacketIdentifier,
    ushort TopicAlias,
    uint? MessageExpiryInterval,
    MessageProperties? Properties);

/// <summary>A PUBACK, PUBREC, PUBREL or PUBCOMP as a codec read it.</summary>
internal sealed record ReadAcknowledgement(PacketType Type, ushort PacketIdentifier, ReasonCode Code);
