using Broker.Gateway.Mqtt.Packets;
using Broker.Grains.Interfaces.Messages;

namespace Broker.Gateway.Mqtt.Codec;

/// <summary>The bytes are not a packet that this client may send now. Thrown inside Codec only and caught in one place.</summary>
/// <param name="code">What 5.0 calls it: malformed packet, protocol error, packet too large, topic name invalid, …</param>
/// <param name="reason">What is wrong, for the log and the reason string; holds nothing the client sent.</param>
internal sealed class MalformedPacketException(ReasonCode code, string reason) : Exception(reason)
{
    /// <summary>What a 5.0 client is told; a 3.x client's connection is just closed.</summary>
    public ReasonCode Code { get; } = code;

    /// <summary>Set by <see cref="ConnectDecoder"/> alone: the version whose form the refusing CONNACK takes;
    /// null when CONNECT broke before it said one.</summary>
    public ProtocolVersion? Version { get; init; }

    /// <summary>The bytes cannot be parsed.</summary>
    public static MalformedPacketException Malformed(string reason) => new(ReasonCode.MalformedPacket, reason);

    /// <summary>The bytes can be parsed, but say what the protocol does not allow.</summary>
    public static MalformedPacketException ProtocolError(string reason) => new(ReasonCode.ProtocolError, reason);
}
