using System.Text;
using Broker.Gateway.Mqtt.Packets;
using Broker.Grains.Interfaces.Messages;

namespace Broker.Gateway.Mqtt.Codec.V5;

/// <summary>Writes PUBLISH of 5.0. Runs for every delivery: allocates nothing. [MQTT-3.3]</summary>
internal static class PublishEncoder
{
    public static int Measure(in OutboundPublish packet)
    {
        var properties = MeasureProperties(in packet);
        var remaining = 2 + packet.Topic.Length + (packet.Qos == Qos.AtMostOnce ? 0 : 2)
            + VariableByteInteger.Size(properties) + properties + packet.Message.Payload.Length;
        return 1 + VariableByteInteger.Size(remaining) + remaining;
    }

    /// <returns>How many bytes were written, which is all but the payload.</returns>
    public static int WriteHead(in OutboundPublish packet, int size, Span<byte> to)
    {
        var at = PublishHeader.Write(in packet, size, to);
        var properties = VariableByteInteger.SectionLength(size - at - packet.Message.Payload.Length);
        at += VariableByteInteger.Write(properties, to[at..]);
        if (properties != 0)
        {
            WriteProperties(in packet, to.Slice(at, properties));
            at += properties;
        }

        return at;
    }

    private static int MeasureProperties(in OutboundPublish packet)
    {
        var size = (packet.TopicAlias != 0 ? 3 : 0) + (packet.MessageExpiryInterval.HasValue ? 5 : 0);
        foreach (var identifier in packet.SubscriptionIdentifiers) size += 1 + VariableByteInteger.Size(identifier);
        return packet.Message.Properties is { } properties ? size + Measure(properties) : size;
    }

    private static int Measure(MessageProperties properties)
    {
        var size = properties.IsText ? 2 : 0;
        if (properties.ContentType is { } contentType) size += 3 + Encoding.UTF8.GetByteCount(contentType);
        if (properties.ResponseTopic is { } responseTopic) size += 3 + Encoding.UTF8.GetByteCount(responseTopic);
        if (properties.CorrelationData is { } correlationData) size += 3 + correlationData.Length;
        foreach (var (name, value) in properties.User) size += 5 + Encoding.UTF8.GetByteCount(name) + Encoding.UTF8.GetByteCount(value);
        return size;
    }

    private static void WriteProperties(in OutboundPublish packet, Span<byte> to)
    {
        var writer = new PacketWriter(to);
        if (packet.TopicAlias != 0) PropertyWriter.Write(ref writer, PropertyId.TopicAlias, packet.TopicAlias);
        PropertyWriter.Write(ref writer, PropertyId.MessageExpiryInterval, packet.MessageExpiryInterval);
        foreach (var identifier in packet.SubscriptionIdentifiers) // [MQTT-3.3.4-3], [MQTT-3.3.4-4], [MQTT-3.3.4-5]
        {
            writer.WriteByte((byte)PropertyId.SubscriptionIdentifier);
            writer.WriteVariableByteInteger(identifier);
        }

        if (packet.Message.Properties is not { } properties) return;
        if (properties.IsText) PropertyWriter.Write(ref writer, PropertyId.PayloadFormatIndicator, true); // [MQTT-3.3.2-4]
        PropertyWriter.Write(ref writer, PropertyId.ContentType, properties.ContentType); // [MQTT-3.3.2-20]
        PropertyWriter.Write(ref writer, PropertyId.ResponseTopic, properties.ResponseTopic); // [MQTT-3.3.2-15]
        PropertyWriter.Write(ref writer, PropertyId.CorrelationData, properties.CorrelationData); // [MQTT-3.3.2-16]
        PropertyWriter.Write(ref writer, properties.User); // [MQTT-3.3.2-17], [MQTT-3.3.2-18]
    }
}
