using System.Text;

namespace Broker.Grains.Interfaces.Metrics;

/// <summary>The counters by the names EMQ X 4.x gives them, sums included.</summary>
public static class MetricNames
{
    /// <summary>The meter that shows them.</summary>
    public const string MeterName = "Broker";

    private static readonly (string Name, Metric[] Parts)[] Sums =
    [
        ("packets.received",
        [
            Metric.PacketsConnectReceived, Metric.MessagesQos0Received, Metric.MessagesQos1Received, Metric.MessagesQos2Received,
            Metric.PacketsPubackReceived, Metric.PacketsPubrecReceived, Metric.PacketsPubrelReceived, Metric.PacketsPubcompReceived,
            Metric.PacketsSubscribeReceived, Metric.PacketsUnsubscribeReceived, Metric.PacketsPingreqReceived, Metric.PacketsDisconnectReceived,
            Metric.PacketsAuthReceived,
        ]),
        ("packets.sent",
        [
            Metric.PacketsConnackSent, Metric.MessagesQos0Sent, Metric.MessagesQos1Sent, Metric.MessagesQos2Sent,
            Metric.PacketsPubackSent, Metric.PacketsPubrecSent, Metric.PacketsPubrelSent, Metric.PacketsPubcompSent, Metric.PacketsSubackSent,
            Metric.PacketsUnsubackSent, Metric.PacketsPingrespSent, Metric.PacketsDisconnectSent, Metric.PacketsAuthSent,
        ]),
        ("packets.publish.received", [Metric.MessagesQos0Received, Metric.MessagesQos1Received, Metric.MessagesQos2Received]),
        ("packets.publish.sent", [Metric.MessagesQos0Sent, Metric.MessagesQos1Sent, Metric.MessagesQos2Sent]),
        ("messages.received", [Metric.MessagesQos0Received, Metric.MessagesQos1Received, Metric.MessagesQos2Received]),
        ("messages.sent", [Metric.MessagesQos0Sent, Metric.MessagesQos1Sent, Metric.MessagesQos2Sent]),
        ("messages.dropped", [Metric.MessagesDroppedAwaitPubrelTimeout, Metric.MessagesDroppedNoSubscribers]),
        ("client.connack", [Metric.PacketsConnackSent]),
        ("client.subscribe", [Metric.PacketsSubscribeReceived]),
        ("client.unsubscribe", [Metric.PacketsUnsubscribeReceived]),
        ("delivery.dropped",
        [
            Metric.DeliveryDroppedNoLocal, Metric.DeliveryDroppedTooLarge, Metric.DeliveryDroppedQos0Msg, Metric.DeliveryDroppedQueueFull,
            Metric.DeliveryDroppedExpired,
        ]),
    ];

    /// <summary>Names of which the second and later words after the point belong together.</summary>
    private static readonly string[] Joined =
    [
        "no_local", "too_large", "qos0_msg", "queue_full", "no_subscribers", "await_pubrel_timeout", "auth_error", "link_full", "store_failed", "read_paused", "check_acl", "rate_limited",
        "quota_exceeded", "cache_hit",
    ];

    /// <summary>Every counter and sum by name, and what it is the sum of.</summary>
    public static IEnumerable<(string Name, Metric[] Parts)> All() => Enum.GetValues<Metric>().Select(metric => (Of(metric), new[] { metric })).Concat(Sums);

    /// <summary>The value of every counter and sum, by name.</summary>
    public static IEnumerable<(string Name, long Value)> ReadAll() => All().Select(one => (one.Name, one.Parts.Sum(BrokerCounters.Read)));

    /// <summary>The name of a counter or gauge: its words with points between them, `packets.connect.received`.</summary>
    public static string Of<T>(T metric)
        where T : struct, Enum
    {
        var name = new StringBuilder();
        foreach (var letter in metric.ToString())
        {
            if (char.IsAsciiLetterUpper(letter) && name.Length > 0) name.Append('.');
            name.Append(char.ToLowerInvariant(letter));
        }

        foreach (var joined in Joined) name.Replace(joined.Replace('_', '.'), joined);
        return name.ToString();
    }
}
