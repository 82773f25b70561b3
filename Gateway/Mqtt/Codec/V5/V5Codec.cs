using System.Buffers.Binary;
using Broker.Gateway.Mqtt.Packets;
using Broker.Grains.Interfaces.Messages;

namespace Broker.Gateway.Mqtt.Codec.V5;

/// <summary>The codec of MQTT 5.0.</summary>
internal sealed class V5Codec : MqttCodec
{
    public static readonly V5Codec Instance = new();

    private V5Codec()
        : base(ProtocolVersion.V5)
    {
    }

    /// <inheritdoc/>
    public override int Measure(in OutboundPublish packet) => PublishEncoder.Measure(in packet);

    /// <inheritdoc/>
    public override int WriteHead(in OutboundPublish packet, int size, Span<byte> to) => PublishEncoder.WriteHead(in packet, size, to);

    /// <inheritdoc/>
    public override int WriteAcknowledgement(PacketType type, ushort packetIdentifier, ReasonCode code, Span<byte> to)
    {
        var remaining = code == ReasonCode.Success ? 2u : 3u; // success may be left out [MQTT-3.4.2.1]
        BinaryPrimitives.WriteUInt32BigEndian(to, (uint)FixedHeader.FirstByte(type) << 24 | remaining << 16 | packetIdentifier);
        if (remaining == 2) return 4;

        to[4] = (byte)code;
        return 5;
    }

    /// <inheritdoc/>
    protected override void WriteBody(ControlPacket packet, ref PacketWriter writer)
    {
        switch (packet)
        {
            case ConnackPacket connack:
                ConnackEncoder.WriteBody(connack, ref writer);
                break;
            case SubackPacket suback:
                SubackEncoder.WriteBody(suback, ref writer);
                break;
            case UnsubackPacket unsuback:
                SubackEncoder.WriteBody(unsuback, ref writer);
                break;
            case DisconnectPacket disconnect:
                DisconnectEncoder.WriteBody(disconnect, ref writer);
                break;
            case AuthPacket auth:
                AuthEncoder.WriteBody(auth, ref writer);
                break;
            case PingrespPacket:
                break;
            default:
                throw new InvalidOperationException($"A server does not send {packet.Type}.");
        }
    }

    /// <inheritdoc/>
    protected override void DecodePublish(byte firstByte, ReadOnlySpan<byte> body, IPacketHandler handler) => PublishDecoder.Decode(firstByte, body, handler);

    /// <inheritdoc/>
    protected override void DecodeAcknowledgement(PacketType type, ReadOnlySpan<byte> body, IPacketHandler handler) =>
        AcknowledgementDecoder.Decode(type, body, handler);

    /// <inheritdoc/>
    protected override ControlPacket DecodePacket(PacketType type, ReadOnlySpan<byte> body) => type switch
    {
        PacketType.Subscribe => SubscribeDecoder.DecodeSubscribe(body),
        PacketType.Unsubscribe => SubscribeDecoder.DecodeUnsubscribe(body),
        PacketType.Disconnect => DisconnectDecoder.Decode(body),
        PacketType.Auth => AuthDecoder.Decode(body),
        _ => throw UnexpectedPacket(type),
    };
}
