using Broker.Grains.Interfaces.Messages;

namespace Broker.Gateway.Mqtt.Codec;

/// <summary>The topic filters of SUBSCRIBE and UNSUBSCRIBE, as far as the codec checks them. [MQTT-3.8.3-1], [MQTT-3.10.3-1]</summary>
internal static class TopicFilterField
{
    /// <summary>Reads one filter: well-formed and not empty, but perhaps with a misplaced wildcard.</summary>
    public static string Read(ref PacketReader packet) => packet.ReadString() is { Length: > 0 } filter
        ? filter
        : throw new MalformedPacketException(ReasonCode.TopicFilterInvalid, "empty topic filter"); // [MQTT-4.7.3-1]

    /// <summary>Reads filters until the packet ends.</summary>
    public static string[] ReadToEnd(ref PacketReader packet)
    {
        var filters = new List<string>();
        while (!packet.AtEnd) filters.Add(Read(ref packet));
        return filters.ToArray();
    }
}
