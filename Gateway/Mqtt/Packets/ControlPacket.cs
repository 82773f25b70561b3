using Broker.Grains.Interfaces.Messages;

namespace Broker.Gateway.Mqtt.Packets;

/// <summary>A control packet that is rare enough to be an object. PUBLISH and its acknowledgements are not: see <see cref="PublishPacket"/>.</summary>
internal abstract record ControlPacket
{
    /// <summary>Which packet this is.</summary>
    public abstract PacketType Type { get; }

    /// <summary>5.0 user properties in their order; empty in 3.x.</summary>
    public UserProperty[] UserProperties { get; init; } = [];
}
