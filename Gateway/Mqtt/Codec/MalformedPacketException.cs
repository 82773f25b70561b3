using Broker.Grains.Interfaces.Messages;

namespace Broker.Gateway.Mqtt.Codec;

/// <summary>The bytes are not a packet that this client may send now. Thrown inside Codec only and caught in one place.</summary>
/// <param name="code">What 5.0 calls it: malformed packet, protocol error, packet too large, topic name invalid, …</param>
/// <param name="reason">What is wrong, for the log and the reason string; holds nothing the client sent.</param>
internal sealed class MalformedPacketException(ReasonCode code, string reason) : Exception(reason)
{
    /// <summary>What a 5.0 client is told; a 3.x client's connection is just closed.</summary>
    public ReasonCode Code { get; } = code;
}
