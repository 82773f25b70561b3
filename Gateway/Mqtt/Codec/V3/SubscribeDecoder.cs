using Broker.Gateway.Mqtt.Packets;
using Broker.Grains.Interfaces.Messages;
using Broker.Grains.Interfaces.Sessions;

namespace Broker.Gateway.Mqtt.Codec.V3;

/// <summary>Reads SUBSCRIBE and UNSUBSCRIBE of 3.x. [3.1.1 MQTT-3.8], [3.1.1 MQTT-3.10]</summary>
internal static class SubscribeDecoder
{
    public static SubscribePacket DecodeSubscribe(ReadOnlySpan<byte> body)
    {
        var packet = new PacketReader(body);
        var packetIdentifier = packet.ReadPacketIdentifier();
        if (packet.AtEnd) throw MalformedPacketException.ProtocolError("SUBSCRIBE without a filter"); // [3.1.1 MQTT-3.8.3-3]

        var requests = new List<SubscriptionRequest>();
        while (!packet.AtEnd)
        {
            var filter = TopicFilterField.Read(ref packet);
            var qos = packet.ReadByte();
            if (qos > 2) throw MalformedPacketException.Malformed("requested QoS over 2 or reserved bits"); // [3.1.1 MQTT-3.8.3-4]
            requests.Add(new SubscriptionRequest(filter, new SubscriptionOptions((Qos)qos)));
        }

        return new SubscribePacket(packetIdentifier, requests.ToArray());
    }

    public static UnsubscribePacket DecodeUnsubscribe(ReadOnlySpan<byte> body)
    {
        var packet = new PacketReader(body);
        var packetIdentifier = packet.ReadPacketIdentifier();
        if (packet.AtEnd) throw MalformedPacketException.ProtocolError("UNSUBSCRIBE without a filter"); // [3.1.1 MQTT-3.10.3-2]
        return new UnsubscribePacket(packetIdentifier, TopicFilterField.ReadToEnd(ref packet));
    }
}
