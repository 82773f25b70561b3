using Broker.Gateway.Mqtt.Codec.V3;
using Broker.Gateway.Mqtt.Codec.V5;
using Broker.Gateway.Mqtt.Packets;
using Broker.Grains.Interfaces.Messages;

namespace Broker.Gateway.Mqtt.Codec;

/// <summary>Reads and writes the packets of one protocol version. Stateless: one instance serves every connection.</summary>
internal abstract class MqttCodec(ProtocolVersion version)
{
    /// <summary>Whether it is the codec of 3.1.</summary>
    protected bool IsV31 { get; } = version == ProtocolVersion.V31;

    /// <summary>The codec of a version.</summary>
    public static MqttCodec For(ProtocolVersion version) => version switch
    {
        ProtocolVersion.V31 => V3Codec.InstanceV31,
        ProtocolVersion.V311 => V3Codec.Instance,
        _ => V5Codec.Instance,
    };

    /// <summary>Reads the body of one packet and hands it on.</summary>
    /// <param name="firstByte">The first byte of the fixed header: type and flags.</param>
    /// <param name="body">Exactly the remaining length's bytes.</param>
    /// <param name="handler">Gets the packet; its exceptions pass through.</param>
    /// <exception cref="MalformedPacketException">The bytes break the standard.</exception>
    public void Decode(byte firstByte, ReadOnlySpan<byte> body, IPacketHandler handler)
    {
        if (IsV31) FixedHeader.CheckV31(firstByte);
        else FixedHeader.Check(firstByte);
        var type = FixedHeader.Type(firstByte);
        switch (type)
        {
            case PacketType.Publish:
                DecodePublish(firstByte, body, handler);
                break;
            case PacketType.Puback or PacketType.Pubrec or PacketType.Pubrel or PacketType.Pubcomp:
                DecodeAcknowledgement(type, body, handler);
                break;
            case PacketType.Pingreq:
                new PacketReader(body).ExpectEnd();
                handler.OnPacket(PingreqPacket.Instance);
                break;
            default:
                handler.OnPacket(DecodePacket(type, body));
                break;
        }
    }

    /// <summary>The whole length in bytes, fixed header included, that <see cref="Write(ControlPacket, Span{byte})"/> needs.</summary>
    public int Measure(ControlPacket packet)
    {
        var remaining = MeasureBody(packet);
        return 1 + VariableByteInteger.Size(remaining) + remaining;
    }

    /// <summary>Writes a packet that a server sends.</summary>
    /// <param name="to">At least <see cref="Measure(ControlPacket)"/> bytes.</param>
    /// <returns>How many bytes were written.</returns>
    /// <exception cref="InvalidOperationException">No server sends such a packet in this version.</exception>
    public int Write(ControlPacket packet, Span<byte> to)
    {
        var writer = new PacketWriter(to);
        writer.WriteByte(FixedHeader.FirstByte(packet.Type));
        writer.WriteVariableByteInteger(MeasureBody(packet));
        WriteBody(packet, ref writer);
        return writer.Written;
    }

    /// <summary>The whole length in bytes of a PUBLISH.</summary>
    public abstract int Measure(in OutboundPublish packet);

    /// <summary>Writes a PUBLISH, payload included.</summary>
    /// <param name="size">What <see cref="Measure(in OutboundPublish)"/> returned for it.</param>
    /// <param name="to">At least <paramref name="size"/> bytes.</param>
    public void Write(in OutboundPublish packet, int size, Span<byte> to) => packet.Message.Payload.CopyTo(to[WriteHead(in packet, size, to)..]);

    /// <summary>Writes all of a PUBLISH but its payload, which is to follow.</summary>
    /// <returns>How many bytes were written: the size less the payload's length.</returns>
    public abstract int WriteHead(in OutboundPublish packet, int size, Span<byte> to);

    /// <summary>The most that <see cref="WriteAcknowledgement"/> writes.</summary>
    public const int MaxAcknowledgementBytes = 5;

    /// <summary>Writes a PUBACK, PUBREC, PUBREL or PUBCOMP without properties; 3.x leaves the code out.</summary>
    /// <returns>How many bytes were written: 4 or 5.</returns>
    public abstract int WriteAcknowledgement(PacketType type, ushort packetIdentifier, ReasonCode code, Span<byte> to);

    /// <summary>Reads a PUBLISH and hands it on; allocates nothing.</summary>
    protected abstract void DecodePublish(byte firstByte, ReadOnlySpan<byte> body, IPacketHandler handler);

    /// <summary>Reads a PUBACK, PUBREC, PUBREL or PUBCOMP and hands it on; allocates nothing.</summary>
    protected abstract void DecodeAcknowledgement(PacketType type, ReadOnlySpan<byte> body, IPacketHandler handler);

    /// <summary>Reads a packet that is rare enough to be an object.</summary>
    protected abstract ControlPacket DecodePacket(PacketType type, ReadOnlySpan<byte> body);

    /// <summary>Writes or counts what follows the fixed header.</summary>
    protected abstract void WriteBody(ControlPacket packet, ref PacketWriter writer);

    /// <summary>What a packet leads to that no client may send, or not now.</summary>
    protected static MalformedPacketException UnexpectedPacket(PacketType type) => MalformedPacketException.ProtocolError(
        type == PacketType.Connect ? "second CONNECT" : "packet that a client does not send"); // [MQTT-3.1.0-2]

    private int MeasureBody(ControlPacket packet)
    {
        var counting = PacketWriter.Counting;
        WriteBody(packet, ref counting);
        return counting.Written;
    }
}
