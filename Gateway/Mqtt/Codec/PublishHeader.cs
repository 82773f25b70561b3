using System.Buffers.Binary;
using Broker.Gateway.Mqtt.Packets;
using Broker.Grains.Interfaces.Messages;

namespace Broker.Gateway.Mqtt.Codec;

/// <summary>Where the variable header of a PUBLISH has its parts: the piece that all versions share. [MQTT-3.3.2]</summary>
/// <param name="TopicLength">The topic name's bytes, which begin behind two bytes of length; may be 0.</param>
/// <param name="PacketIdentifier">1 to 65,535; 0 for QoS 0. [MQTT-2.2.1-2]</param>
/// <param name="End">Index of the first byte behind the topic name and the packet identifier.</param>
internal readonly record struct PublishHeader(int TopicLength, ushort PacketIdentifier, int End)
{
    /// <exception cref="MalformedPacketException">The body is too short or the packet identifier is 0.</exception>
    public static PublishHeader Read(byte firstByte, ReadOnlySpan<byte> body)
    {
        if (body.Length < 2) throw Short();
        int topicLength = BinaryPrimitives.ReadUInt16BigEndian(body);
        var at = 2 + topicLength;
        if ((firstByte & 0b0110) == 0) return at <= body.Length ? new PublishHeader(topicLength, 0, at) : throw Short();

        if (at + 2 > body.Length) throw Short();
        var identifier = BinaryPrimitives.ReadUInt16BigEndian(body[at..]);
        if (identifier == 0) throw MalformedPacketException.ProtocolError("packet identifier 0"); // [MQTT-2.2.1-3]
        return new PublishHeader(topicLength, identifier, at + 2);
    }

    /// <summary>Writes the fixed header, the topic name and the packet identifier.</summary>
    /// <param name="size">The whole packet's length in bytes; the remaining length follows from it.</param>
    /// <returns>How many bytes were written.</returns>
    public static int Write(in OutboundPublish packet, int size, Span<byte> to)
    {
        to[0] = (byte)((int)PacketType.Publish << 4 | (packet.Dup ? FixedHeader.Dup : 0) | (int)packet.Qos << 1 | (packet.Retain ? 1 : 0));
        var at = 1 + VariableByteInteger.Write(VariableByteInteger.SectionLength(size - 1), to[1..]);
        BinaryPrimitives.WriteUInt16BigEndian(to[at..], checked((ushort)packet.Topic.Length));
        at += 2;
        packet.Topic.CopyTo(to[at..]);
        at += packet.Topic.Length;
        if (packet.Qos == Qos.AtMostOnce) return at; // [MQTT-2.2.1-2]

        BinaryPrimitives.WriteUInt16BigEndian(to[at..], packet.PacketIdentifier);
        return at + 2;
    }

    private static MalformedPacketException Short() => MalformedPacketException.Malformed("PUBLISH ends inside its header");
}
