using System.Globalization;
using System.Net;
using System.Text;
using Broker.Gateway.Mqtt.Packets;
using Broker.Grains.Interfaces.Messages;

namespace Broker.Gateway.Tracing;

/// <summary>Writes lines of traces. Nothing that a client chooses can end a line or look like the next one.</summary>
internal static class TraceText
{
    /// <summary>Bytes of a payload that are shown.</summary>
    public const int MaxPayloadBytes = 1024;

    /// <summary>A whole line, without its end.</summary>
    /// <param name="level">`debug`, `info` or `warning`.</param>
    /// <param name="who">As <see cref="Who"/> writes it.</param>
    public static string Line(DateTimeOffset now, string level, string who, string what) =>
        string.Create(CultureInfo.InvariantCulture, $"{now.UtcDateTime:yyyy-MM-ddTHH:mm:ss.ffffff}+00:00 [{level}] {who} [MQTT] {what}");

    /// <summary>Client identifier and peer: one word.</summary>
    public static string Who(string clientId, EndPoint? peer) => peer is IPEndPoint from
        ? $"{Escape(clientId, ' ')}@{new IPEndPoint(Plain(from.Address), from.Port)}"
        : Escape(clientId, ' ');

    /// <summary>An address as operators write it.</summary>
    public static IPAddress Plain(IPAddress address) => address.IsIPv4MappedToIPv6 ? address.MapToIPv4() : address;

    /// <summary>Text in quotes.</summary>
    public static string Quote(string text) => $"\"{Escape(text, '"')}\"";

    /// <summary>A payload in quotes, cut if it is long; what is no UTF-8 becomes the replacement character.</summary>
    public static string Quote(ReadOnlySpan<byte> payload) =>
        payload.Length <= MaxPayloadBytes ? Quote(Encoding.UTF8.GetString(payload)) : $"{Quote(Encoding.UTF8.GetString(payload[..MaxPayloadBytes]))}...";

    /// <summary>What is traced of a packet beside PUBLISH and its acknowledgements. Never a password.</summary>
    public static string Describe(ControlPacket packet) => packet switch
    {
        ConnectPacket one => $"version: {(int)one.Version}, clean_start: {Flag(one.CleanStart)}, keepalive: {one.KeepAlive}, username: {(one.UserName is { } name ? Quote(name) : "undefined")}"
            + $", session_expiry_interval: {one.SessionExpiryInterval?.ToString(CultureInfo.InvariantCulture) ?? "undefined"}"
            + (one.Will is { } will ? $", will: {Quote(will.Topic.Text)} qos: {(int)will.Qos} retain: {Flag(will.Retain)} payload_bytes: {will.Payload.Length}" : ""),
        ConnackPacket one => $"reason_code: {Code(one.Code)}, session_present: {Flag(one.SessionPresent)}",
        SubscribePacket one => $"packet_id: {one.PacketIdentifier}, filters: {string.Join(", ", one.Requests.Select(Describe))}",
        SubackPacket one => $"packet_id: {one.PacketIdentifier}, reason_codes: {Codes(one.Codes)}",
        UnsubscribePacket one => $"packet_id: {one.PacketIdentifier}, filters: {string.Join(", ", one.Filters.Select(Quote))}",
        UnsubackPacket one => $"packet_id: {one.PacketIdentifier}, reason_codes: {Codes(one.Codes)}",
        DisconnectPacket one => $"reason_code: {Code(one.Code)}",
        AuthPacket one => $"reason_code: {Code(one.Code)}",
        _ => "",
    };

    /// <summary>A reason code by number and name.</summary>
    public static string Code(ReasonCode code) => $"0x{(int)code:X2} {code}";

    public static int Flag(bool value) => value ? 1 : 0;

    private static string Describe(SubscriptionRequest one) =>
        $"{Quote(one.Filter)} qos: {(int)one.Options.Qos} nl: {Flag(one.Options.NoLocal)} rap: {Flag(one.Options.RetainAsPublished)} rh: {(int)one.Options.RetainHandling}";

    private static string Codes(ReasonCode[] codes) => string.Join(", ", codes.Select(code => $"0x{(int)code:X2}"));

    /// <summary>Text without what controls: line ends of every kind, escape sequences, and signs that turn the direction of writing.</summary>
    /// <param name="also">A character that has a meaning where the text goes.</param>
    private static string Escape(string text, char also)
    {
        var at = 0;
        while (at < text.Length && !IsUnsafe(text[at], also)) at++;
        if (at == text.Length) return text;
        var safe = new StringBuilder(text, 0, at, text.Length + 16);
        foreach (var one in text.AsSpan(at))
        {
            if (IsUnsafe(one, also)) safe.Append(CultureInfo.InvariantCulture, $"\\u{(int)one:X4}");
            else safe.Append(one);
        }

        return safe.ToString();
    }

    private static bool IsUnsafe(char one, char also) => one == also || one == '\\' || char.IsControl(one)
        || (one >= '\u0080' && CharUnicodeInfo.GetUnicodeCategory(one) is UnicodeCategory.Format or UnicodeCategory.LineSeparator or UnicodeCategory.ParagraphSeparator);
}
