using Broker.Gateway.Mqtt.Packets;
using Broker.Grains.Interfaces.Messages;

namespace Broker.Gateway.Mqtt.Codec.V5;

/// <summary>Reads DISCONNECT of 5.0 as a client sends it. [MQTT-3.14]</summary>
internal static class DisconnectDecoder
{
    public static DisconnectPacket Decode(ReadOnlySpan<byte> body)
    {
        if (body.IsEmpty) return new DisconnectPacket(ReasonCode.Success); // [MQTT-3.14.2.1]
        var packet = new PacketReader(body);
        var code = (ReasonCode)packet.ReadByte();
        if (!Allows(code)) throw MalformedPacketException.ProtocolError("reason code that is not for a client's DISCONNECT"); // [MQTT-3.14.2-1]
        if (packet.AtEnd) return new DisconnectPacket(code); // no property length below two bytes [MQTT-3.14.2.2.1]

        uint? sessionExpiryInterval = null;
        string? reasonString = null;
        var properties = new PropertyReader(ref packet, PropertySet.Disconnect);
        while (properties.TryReadNext(out var id))
        {
            if (id == PropertyId.SessionExpiryInterval) sessionExpiryInterval = properties.ReadUInt32();
            else reasonString = properties.ReadString();
        }

        packet.ExpectEnd();
        return new DisconnectPacket(code)
        {
            SessionExpiryInterval = sessionExpiryInterval,
            ReasonString = reasonString,
            UserProperties = properties.UserProperties,
        };
    }

    private static bool Allows(ReasonCode code) => code is ReasonCode.Success or ReasonCode.DisconnectWithWill
        or ReasonCode.UnspecifiedError or ReasonCode.MalformedPacket or ReasonCode.ProtocolError or ReasonCode.ImplementationSpecificError
        or ReasonCode.TopicNameInvalid or ReasonCode.ReceiveMaximumExceeded or ReasonCode.TopicAliasInvalid or ReasonCode.PacketTooLarge
        or ReasonCode.MessageRateTooHigh or ReasonCode.QuotaExceeded or ReasonCode.AdministrativeAction or ReasonCode.PayloadFormatInvalid;
}
