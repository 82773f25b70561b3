using Broker.Gateway.Mqtt.Packets;
using Broker.Grains.Interfaces.Messages;

namespace Broker.Gateway.Mqtt.Codec.V5;

/// <summary>Reads PUBLISH of 5.0. Runs for every message: without properties it allocates nothing. [MQTT-3.3]</summary>
internal static class PublishDecoder
{
    /// <param name="firstByte">Checked by <see cref="FixedHeader.Check"/>.</param>
    public static void Decode(byte firstByte, ReadOnlySpan<byte> body, IPacketHandler handler)
    {
        var header = PublishHeader.Read(firstByte, body);
        var at = header.End;
        if (at >= body.Length) throw MalformedPacketException.Malformed("PUBLISH without property length");
        if (body[at] != 0)
        {
            DecodeWithProperties(firstByte, body, header, handler);
            return;
        }

        if (header.TopicLength == 0) throw NoTopic();
        handler.OnPublish(new PublishPacket
        {
            Topic = body.Slice(2, header.TopicLength),
            Payload = body[(at + 1)..],
            Qos = (Qos)(firstByte >> 1 & 3),
            Retain = (firstByte & 1) != 0,
            Dup = (firstByte & FixedHeader.Dup) != 0,
            PacketIdentifier = header.PacketIdentifier,
        });
    }

    private static void DecodeWithProperties(byte firstByte, ReadOnlySpan<byte> body, PublishHeader header, IPacketHandler handler)
    {
        var packet = new PacketReader(body[header.End..]);
        var message = default(MessagePropertiesReader);
        ushort alias = 0;
        var reader = new PropertyReader(ref packet, PropertySet.Publish);
        while (reader.TryReadNext(out var id))
        {
            if (id == PropertyId.TopicAlias) alias = ReadTopicAlias(ref reader);
            else message.ReadOne(id, ref reader);
        }

        if (header.TopicLength == 0 && alias == 0) throw NoTopic();
        handler.OnPublish(new PublishPacket
        {
            Topic = body.Slice(2, header.TopicLength),
            Payload = packet.Rest,
            Qos = (Qos)(firstByte >> 1 & 3),
            Retain = (firstByte & 1) != 0,
            Dup = (firstByte & FixedHeader.Dup) != 0,
            PacketIdentifier = header.PacketIdentifier,
            TopicAlias = alias,
            MessageExpiryInterval = message.MessageExpiryInterval,
            Properties = message.Build(reader.UserProperties),
        });
    }

    private static ushort ReadTopicAlias(ref PropertyReader reader) => reader.ReadUInt16() is var alias and not 0
        ? alias
        : throw new MalformedPacketException(ReasonCode.TopicAliasInvalid, "topic alias 0"); // [MQTT-3.3.2-8]

    private static MalformedPacketException NoTopic() =>
        MalformedPacketException.ProtocolError("PUBLISH with neither topic nor alias"); // [MQTT-3.3.2.1]
}
