using System.Buffers.Binary;
using Broker.Gateway.Mqtt.Packets;
using Broker.Grains.Interfaces.Messages;

namespace Broker.Gateway.Mqtt.Codec.V5;

/// <summary>Reads PUBACK, PUBREC, PUBREL and PUBCOMP of 5.0; allocates nothing. [MQTT-3.4], [MQTT-3.5], [MQTT-3.6], [MQTT-3.7]</summary>
internal static class AcknowledgementDecoder
{
    public static void Decode(PacketType type, ReadOnlySpan<byte> body, IPacketHandler handler)
    {
        if (body.Length < 2) throw MalformedPacketException.Malformed("acknowledgement without packet identifier");
        var identifier = BinaryPrimitives.ReadUInt16BigEndian(body);
        if (identifier == 0) throw MalformedPacketException.ProtocolError("packet identifier 0"); // [MQTT-2.2.1-5]
        var code = body.Length == 2 ? ReasonCode.Success : ReadCode(type, body);
        handler.OnAcknowledgement(type, identifier, code);
    }

    private static ReasonCode ReadCode(PacketType type, ReadOnlySpan<byte> body)
    {
        var code = (ReasonCode)body[2];
        var allowed = type is PacketType.Puback or PacketType.Pubrec ? AllowsReceipt(code) : AllowsRelease(code);
        if (!allowed) throw MalformedPacketException.ProtocolError("reason code that is not for this acknowledgement");
        if (body.Length == 3) return code; // no property length below four bytes [MQTT-3.4.2.2.1]

        var packet = new PacketReader(body[3..]);
        new PropertyReader(ref packet, PropertySet.Acknowledgement, keepUser: false).SkipReasonString();
        packet.ExpectEnd();
        return code;
    }

    /// <summary>The codes of PUBACK and PUBREC. [MQTT-3.4.2-1], [MQTT-3.5.2-1]</summary>
    private static bool AllowsReceipt(ReasonCode code) => code is ReasonCode.Success or ReasonCode.NoMatchingSubscribers
        or ReasonCode.UnspecifiedError or ReasonCode.ImplementationSpecificError or ReasonCode.NotAuthorized or ReasonCode.TopicNameInvalid
        or ReasonCode.PacketIdentifierInUse or ReasonCode.QuotaExceeded or ReasonCode.PayloadFormatInvalid;

    /// <summary>The codes of PUBREL and PUBCOMP. [MQTT-3.6.2-1], [MQTT-3.7.2-1]</summary>
    private static bool AllowsRelease(ReasonCode code) => code is ReasonCode.Success or ReasonCode.PacketIdentifierNotFound;
}
