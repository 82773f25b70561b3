using Broker.Gateway.Mqtt.Packets;
using Broker.Grains.Interfaces.Messages;

namespace Broker.Gateway.Mqtt.Codec.V3;

/// <summary>Reads PUBLISH of 3.x. Runs for every message: allocates nothing. [3.1.1 MQTT-3.3]</summary>
internal static class PublishDecoder
{
    /// <param name="firstByte">Checked by <see cref="FixedHeader.Check"/>.</param>
    public static void Decode(byte firstByte, ReadOnlySpan<byte> body, IPacketHandler handler)
    {
        var header = PublishHeader.Read(firstByte, body);
        if (header.TopicLength == 0) throw MalformedPacketException.Malformed("PUBLISH without topic"); // [3.1.1 MQTT-4.7.3-1]
        handler.OnPublish(new PublishPacket
        {
            Topic = body.Slice(2, header.TopicLength),
            Payload = body[header.End..],
            Qos = (Qos)(firstByte >> 1 & 3),
            Retain = (firstByte & 1) != 0,
            Dup = (firstByte & FixedHeader.Dup) != 0,
            PacketIdentifier = header.PacketIdentifier,
        });
    }
}
