using Broker.Grains.Interfaces.Messages;

namespace Broker.Gateway.Mqtt.Codec.V5;

/// <summary>The properties of a CONNECT. [MQTT-3.1.2.11]</summary>
internal struct ConnectProperties
{
    /// <summary>What holds when there are none, as in 3.x.</summary>
    public static ConnectProperties Default => new() { ReceiveMaximum = ushort.MaxValue, RequestProblemInformation = true, UserProperties = [] };

    public uint? SessionExpiryInterval { get; private set; }

    public ushort ReceiveMaximum { get; private set; }

    public uint? MaximumPacketSize { get; private set; }

    public ushort TopicAliasMaximum { get; private set; }

    public bool RequestResponseInformation { get; private set; }

    public bool RequestProblemInformation { get; private set; }

    public string? AuthenticationMethod { get; private set; }

    public byte[]? AuthenticationData { get; private set; }

    public UserProperty[] UserProperties { get; private set; }

    /// <summary>Reads them, property length included.</summary>
    public static ConnectProperties Read(ref PacketReader packet)
    {
        var read = Default;
        var reader = new PropertyReader(ref packet, PropertySet.Connect);
        while (reader.TryReadNext(out var id)) read.ReadOne(id, ref reader);

        if (read is { AuthenticationData: not null, AuthenticationMethod: null })
        {
            throw MalformedPacketException.ProtocolError("authentication data without a method"); // [MQTT-3.1.2.11.10]
        }

        read.UserProperties = reader.UserProperties;
        return read;
    }

    private void ReadOne(PropertyId id, ref PropertyReader reader)
    {
        switch (id)
        {
            case PropertyId.SessionExpiryInterval:
                SessionExpiryInterval = reader.ReadUInt32();
                break;
            case PropertyId.ReceiveMaximum:
                ReceiveMaximum = reader.ReadPositiveUInt16(); // [MQTT-3.1.2.11.3]
                break;
            case PropertyId.MaximumPacketSize:
                MaximumPacketSize = reader.ReadPositiveUInt32(); // [MQTT-3.1.2.11.4]
                break;
            case PropertyId.TopicAliasMaximum:
                TopicAliasMaximum = reader.ReadUInt16();
                break;
            case PropertyId.RequestResponseInformation:
                RequestResponseInformation = reader.ReadBoolean(); // [MQTT-3.1.2.11.6]
                break;
            case PropertyId.RequestProblemInformation:
                RequestProblemInformation = reader.ReadBoolean(); // [MQTT-3.1.2.11.7]
                break;
            case PropertyId.AuthenticationMethod:
                AuthenticationMethod = reader.ReadString();
                break;
            case PropertyId.AuthenticationData:
                AuthenticationData = reader.ReadBinary();
                break;
        }
    }
}
