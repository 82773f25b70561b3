using Broker.Gateway.Mqtt.Packets;
using Broker.Grains.Interfaces.Messages;

namespace Broker.Gateway.Mqtt.Codec.V5;

/// <summary>Reads AUTH as a client sends it. [MQTT-3.15]</summary>
internal static class AuthDecoder
{
    public static AuthPacket Decode(ReadOnlySpan<byte> body)
    {
        var packet = new PacketReader(body);
        // An empty body means success [MQTT-3.15.2.1], which is the server's to say.
        var code = packet.AtEnd ? ReasonCode.Success : (ReasonCode)packet.ReadByte();
        if (code is not (ReasonCode.ContinueAuthentication or ReasonCode.Reauthenticate))
        {
            throw MalformedPacketException.ProtocolError("reason code that is not for a client's AUTH"); // [MQTT-3.15.2-1]
        }

        string? method = null;
        byte[]? data = null;
        string? reasonString = null;
        var properties = new PropertyReader(ref packet, PropertySet.Auth);
        while (properties.TryReadNext(out var id))
        {
            if (id == PropertyId.AuthenticationMethod) method = properties.ReadString();
            else if (id == PropertyId.AuthenticationData) data = properties.ReadBinary();
            else reasonString = properties.ReadString();
        }

        packet.ExpectEnd();
        if (method is null) throw MalformedPacketException.ProtocolError("AUTH without authentication method"); // [MQTT-3.15.2.2.2]
        return new AuthPacket(code)
        {
            AuthenticationMethod = method,
            AuthenticationData = data,
            ReasonString = reasonString,
            UserProperties = properties.UserProperties,
        };
    }
}
