using Broker.Gateway.Mqtt.Packets;
using Broker.Grains.Interfaces.Messages;

namespace Broker.Gateway.Mqtt.Codec;

/// <summary>Receives what the decoder read. Called on the channel's event loop, in the order of the wire.</summary>
internal interface IPacketHandler
{
    /// <summary>A PUBLISH. Its spans are good only until this returns.</summary>
    void OnPublish(in PublishPacket packet);

    /// <summary>A PUBACK, PUBREC, PUBREL or PUBCOMP.</summary>
    /// <param name="code">The reason code; success in 3.x, which has none.</param>
    void OnAcknowledgement(PacketType type, ushort packetIdentifier, ReasonCode code);

    /// <summary>Any other packet that a client may send.</summary>
    void OnPacket(ControlPacket packet);
}
