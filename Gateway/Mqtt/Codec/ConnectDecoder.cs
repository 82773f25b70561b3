using Broker.Gateway.Mqtt.Codec.V5;
using Broker.Gateway.Mqtt.Packets;
using Broker.Grains.Interfaces.Messages;
using Broker.Grains.Interfaces.Topics;

namespace Broker.Gateway.Mqtt.Codec;

/// <summary>Reads CONNECT, the one packet that says itself which version it is written in. [MQTT-3.1]</summary>
internal static class ConnectDecoder
{
    /// <summary>Set in the level by a bridge that wants loops broken and RETAIN kept, as mosquitto does it in 3.x.</summary>
    private const byte BridgeFlag = 0x80;

    private const byte ReservedFlag = 0x01;
    private const byte CleanStartFlag = 0x02;
    private const byte WillFlag = 0x04;
    private const byte WillQosAndRetain = 0x38;
    private const byte WillRetainFlag = 0x20;
    private const byte PasswordFlag = 0x40;
    private const byte UserNameFlag = 0x80;

    /// <summary>Reads the body of a CONNECT.</summary>
    /// <param name="body">Exactly the remaining length's bytes; nothing of it is kept.</param>
    /// <returns>The packet. An empty client identifier is let through in every version: the connection answers it.</returns>
    /// <exception cref="MalformedPacketException">The bytes break the standard; its Version says in which form to refuse it.</exception>
    public static ConnectPacket Decode(ReadOnlySpan<byte> body)
    {
        var reader = new PacketReader(body);
        var version = ReadVersion(ref reader);
        try
        {
            return DecodeRest(version, ref reader);
        }
        catch (MalformedPacketException e)
        {
            throw new MalformedPacketException(e.Code, e.Message) { Version = version };
        }
    }

    private static ProtocolVersion ReadVersion(ref PacketReader reader)
    {
        var name = reader.ReadUtf8();
        var old = name.SequenceEqual("MQIsdp"u8);
        if (!old && !name.SequenceEqual("MQTT"u8))
        {
            throw new MalformedPacketException(ReasonCode.UnsupportedProtocolVersion, "unknown protocol name"); // [MQTT-3.1.2-1]
        }

        return (old, reader.ReadByte()) switch
        {
            (true, 3 or BridgeFlag | 3) => ProtocolVersion.V31,
            (false, 4 or BridgeFlag | 4) => ProtocolVersion.V311,
            (false, 5) => ProtocolVersion.V5,
            (_, var level) => throw new MalformedPacketException(ReasonCode.UnsupportedProtocolVersion, "unknown protocol version") // [MQTT-3.1.2-2]
            {
                // The answer has the form of the known version that is nearest.
                Version = old ? ProtocolVersion.V31 : level < 5 ? ProtocolVersion.V311 : ProtocolVersion.V5,
            },
        };
    }

    private static ConnectPacket DecodeRest(ProtocolVersion version, ref PacketReader reader)
    {
        var flags = reader.ReadByte();
        CheckFlags(version, flags);
        var keepAlive = reader.ReadUInt16();
        var properties = version == ProtocolVersion.V5 ? ConnectProperties.Read(ref reader) : ConnectProperties.Default;

        var clientId = reader.ReadString(); // [MQTT-3.1.3-1] gives the order of what follows
        var will = (flags & WillFlag) != 0 ? ReadWill(version, flags, ref reader) : null;
        var userName = HasField(version, flags, UserNameFlag, in reader) ? reader.ReadString() : null; // [MQTT-3.1.2-17]
        var password = HasField(version, flags, PasswordFlag, in reader) ? reader.ReadBinary().ToArray() : null; // [MQTT-3.1.2-19]
        reader.ExpectEnd();

        return new ConnectPacket
        {
            Version = version,
            CleanStart = (flags & CleanStartFlag) != 0,
            KeepAlive = keepAlive,
            ClientId = clientId,
            UserName = userName,
            Password = password,
            Will = will,
            SessionExpiryInterval = properties.SessionExpiryInterval,
            ReceiveMaximum = properties.ReceiveMaximum,
            MaximumPacketSize = properties.MaximumPacketSize,
            TopicAliasMaximum = properties.TopicAliasMaximum,
            RequestResponseInformation = properties.RequestResponseInformation,
            RequestProblemInformation = properties.RequestProblemInformation,
            AuthenticationMethod = properties.AuthenticationMethod,
            AuthenticationData = properties.AuthenticationData,
            UserProperties = properties.UserProperties,
        };
    }

    private static void CheckFlags(ProtocolVersion version, byte flags)
    {
        if ((flags & ReservedFlag) != 0 && version != ProtocolVersion.V31)
        {
            throw MalformedPacketException.Malformed("reserved connect flag is set"); // [MQTT-3.1.2-3]
        }

        if ((flags & WillFlag) == 0 && (flags & WillQosAndRetain) != 0)
        {
            throw MalformedPacketException.Malformed("will QoS or will retain without a will"); // [MQTT-3.1.2-11], [MQTT-3.1.2-13]
        }

        if (WillQos(flags) == 3) throw MalformedPacketException.Malformed("will QoS 3"); // [MQTT-3.1.2-12]

        if (version != ProtocolVersion.V5 && (flags & (UserNameFlag | PasswordFlag)) == PasswordFlag)
        {
            throw MalformedPacketException.Malformed("password without user name"); // [3.1.1 MQTT-3.1.2-22]
        }
    }

    /// <summary>3.1 lets a client set the flag of a user name or password and then leave the field out.</summary>
    private static bool HasField(ProtocolVersion version, byte flags, byte flag, in PacketReader reader) =>
        (flags & flag) != 0 && !(version == ProtocolVersion.V31 && reader.AtEnd);

    private static WillPacket ReadWill(ProtocolVersion version, byte flags, ref PacketReader reader)
    {
        var properties = version == ProtocolVersion.V5 ? WillProperties.Read(ref reader) : default;
        if (!TopicName.TryParse(reader.ReadUtf8(), out var topic)) // [MQTT-3.1.3-11]
        {
            throw new MalformedPacketException(ReasonCode.TopicNameInvalid, "will topic is empty or holds a wildcard");
        }

        var payload = reader.ReadBinary().ToArray();
        if (properties.Message is { IsText: true } && !System.Text.Unicode.Utf8.IsValid(payload))
        {
            throw new MalformedPacketException(ReasonCode.PayloadFormatInvalid, "will payload is not the UTF-8 it was declared to be");
        }

        var retain = (flags & WillRetainFlag) != 0;
        return new WillPacket(topic, payload, (Qos)WillQos(flags), retain, properties.Message, properties.DelaySeconds, properties.MessageExpiryInterval);
    }

    private static int WillQos(byte flags) => flags >> 3 & 3;
}
