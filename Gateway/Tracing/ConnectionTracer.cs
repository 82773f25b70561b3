using Broker.Gateway.Mqtt.Packets;
using Broker.Gateway.Security;
using Broker.Grains.Interfaces.Messages;
using Broker.Grains.Interfaces.Sessions;
using Broker.Grains.Interfaces.Topics;

namespace Broker.Gateway.Tracing;

/// <summary>Writes what one connection does to the traces that pick it out, or its topics. On its event loop only.</summary>
/// <param name="own">The traces of its client identifier and address.</param>
internal sealed class ConnectionTracer(TraceSet set, TraceLog[] own, ClientInfo client)
{
    private readonly string who = TraceText.Who(client.ClientId, client.RemoteAddress);

    /// <summary>The topic that was matched last, and its traces together with the client's: a client mostly stays at one.</summary>
    private TopicName? lastTopic;
    private TraceLog[] lastLogs = [];

    /// <summary>A PUBLISH has come.</summary>
    /// <param name="topic">As it is routed.</param>
    public void Received(in PublishPacket packet, TopicName topic)
    {
        if (Of(topic) is { Length: > 0 } logs) Write(logs, "debug", $"PUBLISH received: {Describe(topic, packet.Qos, packet.Retain, packet.Dup, packet.PacketIdentifier, packet.Payload)}");
    }

    /// <summary>A PUBLISH has been written, or could not be.</summary>
    public void Sent(in Delivery delivery, bool dup, bool isWritten)
    {
        var message = delivery.Message;
        if (Of(message.Topic) is not { Length: > 0 } logs) return;
        var id = delivery.Qos == Qos.AtMostOnce ? (ushort)0 : delivery.PacketIdentifier;
        Write(logs, isWritten ? "debug" : "warning", $"PUBLISH {(isWritten ? "sent" : "not sent")}: {Describe(message.Topic, delivery.Qos, delivery.Retain, dup, id, message.Payload)}");
    }

    /// <summary>PUBACK, PUBREC, PUBREL or PUBCOMP.</summary>
    /// <param name="direction">`received` or `sent`.</param>
    public void Acknowledged(string direction, PacketType type, ushort packetIdentifier, ReasonCode code)
    {
        if (own.Length > 0) Write(own, "debug", $"{Name(type)} {direction}: packet_id: {packetIdentifier}, reason_code: {TraceText.Code(code)}");
    }

    /// <summary>Any other packet has come.</summary>
    public void Received(ControlPacket packet) => Write(packet, "received");

    /// <summary>Any other packet has been written.</summary>
    public void Sent(ControlPacket packet) => Write(packet, "sent");

    /// <summary>It was decided what the client may do.</summary>
    /// <param name="topic">As the client writes it.</param>
    /// <param name="rule">Which rule decided; null if that is not known.</param>
    public void Decided(TopicAccess access, string topic, bool isAllowed, string source, string? rule)
    {
        TraceLog[] logs = set.HasTopics ? [.. own, .. set.OfTopic(topic)] : own;
        if (logs.Length == 0) return;
        var verb = access == TopicAccess.Publish ? "publish" : "subscribe";
        Write(logs, isAllowed ? "debug" : "warning", $"ACL {(isAllowed ? "allow" : "deny")} {verb}: {TraceText.Quote(topic)}, source: {TraceText.Quote(source)}{(rule is null ? "" : $", rule: {TraceText.Quote(rule)}")}");
    }

    /// <summary>The connection ends.</summary>
    public void Ended(string reason)
    {
        if (own.Length == 0) return;
        Write(own, "info", $"connection ended: {TraceText.Quote(reason)}");
        set.Forget(client.ClientId);
    }

    private void Write(ControlPacket packet, string direction)
    {
        var logs = !set.HasTopics ? own : packet switch
        {
            SubscribePacket subscribe => OfFilters(subscribe.Requests.Select(one => one.Filter)),
            UnsubscribePacket unsubscribe => OfFilters(unsubscribe.Filters),
            _ => own,
        };
        if (logs.Length == 0) return;
        var what = TraceText.Describe(packet);
        Write(logs, packet is ConnectPacket or ConnackPacket ? "info" : "debug", what.Length == 0 ? $"{Name(packet.Type)} {direction}" : $"{Name(packet.Type)} {direction}: {what}");
    }

    private void Write(TraceLog[] logs, string level, string what)
    {
        var line = TraceText.Line(set.Time.GetUtcNow(), level, who, what);
        foreach (var log in logs) log.Add(line);
    }

    private TraceLog[] Of(TopicName topic)
    {
        if (!set.HasTopics) return own;
        if (ReferenceEquals(topic, lastTopic)) return lastLogs;
        lastLogs = [.. own, .. set.OfTopic(topic.Text)];
        lastTopic = topic;
        return lastLogs;
    }

    private TraceLog[] OfFilters(IEnumerable<string> filters) =>
        [.. own, .. filters.SelectMany(text => TopicFilter.TryParse(text, out var filter) ? set.OfTopic(filter.Path) : []).Distinct()];

    private string Describe(TopicName topic, Qos qos, bool retain, bool dup, ushort packetIdentifier, ReadOnlySpan<byte> payload) =>
        $"topic: {TraceText.Quote(topic.Text)}, qos: {(int)qos}, retain: {TraceText.Flag(retain)}, dup: {TraceText.Flag(dup)}, packet_id: {packetIdentifier}, payload_bytes: {payload.Length}"
        + (set.ShowsPayload ? $", payload: {TraceText.Quote(payload)}" : "");

    private static string Name(PacketType type) => type switch
    {
        PacketType.Connect => "CONNECT",
        PacketType.Connack => "CONNACK",
        PacketType.Publish => "PUBLISH",
        PacketType.Puback => "PUBACK",
        PacketType.Pubrec => "PUBREC",
        PacketType.Pubrel => "PUBREL",
        PacketType.Pubcomp => "PUBCOMP",
        PacketType.Subscribe => "SUBSCRIBE",
        PacketType.Suback => "SUBACK",
        PacketType.Unsubscribe => "UNSUBSCRIBE",
        PacketType.Unsuback => "UNSUBACK",
        PacketType.Pingreq => "PINGREQ",
        PacketType.Pingresp => "PINGRESP",
        PacketType.Disconnect => "DISCONNECT",
        _ => "AUTH",
    };
}
