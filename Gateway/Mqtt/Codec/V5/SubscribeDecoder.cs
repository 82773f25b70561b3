using Broker.Gateway.Mqtt.Packets;
using Broker.Grains.Interfaces.Messages;
using Broker.Grains.Interfaces.Sessions;

namespace Broker.Gateway.Mqtt.Codec.V5;

/// <summary>Reads SUBSCRIBE and UNSUBSCRIBE of 5.0. [MQTT-3.8], [MQTT-3.10]</summary>
internal static class SubscribeDecoder
{
    private const byte QosBits = 0b0000_0011;
    private const byte NoLocalBit = 0b0000_0100;
    private const byte RetainAsPublishedBit = 0b0000_1000;
    private const byte ReservedBits = 0b1100_0000;

    public static SubscribePacket DecodeSubscribe(ReadOnlySpan<byte> body)
    {
        var packet = new PacketReader(body);
        var packetIdentifier = packet.ReadPacketIdentifier();
        var subscriptionIdentifier = 0;
        var properties = new PropertyReader(ref packet, PropertySet.Subscribe);
        while (properties.TryReadNext(out _)) subscriptionIdentifier = properties.ReadPositiveVariableByteInteger(); // [MQTT-3.8.2.1.2]

        if (packet.AtEnd) throw MalformedPacketException.ProtocolError("SUBSCRIBE without a filter"); // [MQTT-3.8.3-2]
        var requests = new List<SubscriptionRequest>();
        while (!packet.AtEnd)
        {
            var filter = TopicFilterField.Read(ref packet);
            requests.Add(new SubscriptionRequest(filter, ReadOptions(packet.ReadByte(), filter, subscriptionIdentifier)));
        }

        return new SubscribePacket(packetIdentifier, requests.ToArray()) { UserProperties = properties.UserProperties };
    }

    public static UnsubscribePacket DecodeUnsubscribe(ReadOnlySpan<byte> body)
    {
        var packet = new PacketReader(body);
        var packetIdentifier = packet.ReadPacketIdentifier();
        var properties = new PropertyReader(ref packet, PropertySet.Unsubscribe);
        while (properties.TryReadNext(out _))
        {
        }

        if (packet.AtEnd) throw MalformedPacketException.ProtocolError("UNSUBSCRIBE without a filter"); // [MQTT-3.10.3-2]
        return new UnsubscribePacket(packetIdentifier, TopicFilterField.ReadToEnd(ref packet)) { UserProperties = properties.UserProperties };
    }

    private static SubscriptionOptions ReadOptions(byte options, string filter, int subscriptionIdentifier)
    {
        if ((options & ReservedBits) != 0) throw MalformedPacketException.Malformed("reserved bits of the subscription options"); // [MQTT-3.8.3-5]
        var qos = options & QosBits;
        if (qos == 3) throw MalformedPacketException.ProtocolError("QoS 3 in the subscription options"); // [MQTT-3.8.3.1]
        var retainHandling = options >> 4 & 3;
        if (retainHandling == 3) throw MalformedPacketException.ProtocolError("retain handling 3"); // [MQTT-3.8.3.1]
        var noLocal = (options & NoLocalBit) != 0;
        if (noLocal && IsShared(filter)) throw MalformedPacketException.ProtocolError("no local on a shared subscription"); // [MQTT-3.8.3-4]

        return new SubscriptionOptions(
            (Qos)qos, noLocal, (options & RetainAsPublishedBit) != 0, (RetainHandling)retainHandling, subscriptionIdentifier);
    }

    private static bool IsShared(string filter) =>
        filter.StartsWith("$share/", StringComparison.Ordinal) || filter.StartsWith("$queue/", StringComparison.Ordinal);
}
