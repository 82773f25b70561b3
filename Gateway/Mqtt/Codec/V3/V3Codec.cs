using System.Buffers.Binary;
using Broker.Gateway.Mqtt.Packets;
using Broker.Grains.Interfaces.Messages;

namespace Broker.Gateway.Mqtt.Codec.V3;

/// <summary>The codec of MQTT 3.1 and 3.1.1, which differ in two details: 3.1 knows DUP in more packets and has no session present flag.</summary>
internal sealed class V3Codec : MqttCodec
{
    /// <summary>For 3.1.1.</summary>
    public static readonly V3Codec Instance = new(ProtocolVersion.V311);

    /// <summary>For 3.1.</summary>
    public static readonly V3Codec InstanceV31 = new(ProtocolVersion.V31);

    private V3Codec(ProtocolVersion version)
        : base(version)
    {
    }

    /// <inheritdoc/>
    public override int Measure(in OutboundPublish packet)
    {
        var remaining = 2 + packet.Topic.Length + (packet.Qos == Qos.AtMostOnce ? 0 : 2) + packet.Message.Payload.Length;
        return 1 + VariableByteInteger.Size(remaining) + remaining;
    }

    /// <inheritdoc/>
    public override int WriteHead(in OutboundPublish packet, int size, Span<byte> to) => PublishHeader.Write(in packet, size, to);

    /// <inheritdoc/>
    public override int WriteAcknowledgement(PacketType type, ushort packetIdentifier, ReasonCode code, Span<byte> to)
    {
        BinaryPrimitives.WriteUInt32BigEndian(to, (uint)FixedHeader.FirstByte(type) << 24 | 2u << 16 | packetIdentifier);
        return 4;
    }

    /// <inheritdoc/>
    protected override void WriteBody(ControlPacket packet, ref PacketWriter writer)
    {
        switch (packet)
        {
            case ConnackPacket connack:
                ConnackEncoder.WriteBody(connack, withSessionPresent: !IsV31, ref writer);
                break;
            case SubackPacket suback:
                writer.WriteUInt16(suback.PacketIdentifier);
                foreach (var code in suback.Codes) writer.WriteByte(Math.Min((byte)code, (byte)0x80)); // [3.1.1 MQTT-3.9.3-2]
                break;
            case UnsubackPacket unsuback:
                writer.WriteUInt16(unsuback.PacketIdentifier);
                break;
            case PingrespPacket:
                break;
            default:
                throw new InvalidOperationException($"A 3.x server does not send {packet.Type}.");
        }
    }

    /// <inheritdoc/>
    protected override void DecodePublish(byte firstByte, ReadOnlySpan<byte> body, IPacketHandler handler) => PublishDecoder.Decode(firstByte, body, handler);

    /// <inheritdoc/>
    protected override void DecodeAcknowledgement(PacketType type, ReadOnlySpan<byte> body, IPacketHandler handler)
    {
        if (body.Length != 2) throw MalformedPacketException.Malformed("acknowledgement that is not two bytes long");
        var identifier = BinaryPrimitives.ReadUInt16BigEndian(body);
        if (identifier == 0) throw MalformedPacketException.ProtocolError("packet identifier 0"); // [3.1.1 MQTT-2.3.1-6]
        handler.OnAcknowledgement(type, identifier, ReasonCode.Success);
    }

    /// <inheritdoc/>
    protected override ControlPacket DecodePacket(PacketType type, ReadOnlySpan<byte> body)
    {
        switch (type)
        {
            case PacketType.Subscribe:
                return SubscribeDecoder.DecodeSubscribe(body);
            case PacketType.Unsubscribe:
                return SubscribeDecoder.DecodeUnsubscribe(body);
            case PacketType.Disconnect:
                new PacketReader(body).ExpectEnd();
                return new DisconnectPacket(ReasonCode.Success);
            default:
                throw UnexpectedPacket(type);
        }
    }
}
