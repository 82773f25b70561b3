namespace Broker.Gateway.Mqtt.Packets;

/// <summary>The control packet types, by the four bits that name them on the wire. [MQTT-2.1.2]</summary>
internal enum PacketType : byte
{
    Connect = 1,
    Connack = 2,
    Publish = 3,
    Puback = 4,
    Pubrec = 5,
    Pubrel = 6,
    Pubcomp = 7,
    Subscribe = 8,
    Suback = 9,
    Unsubscribe = 10,
    Unsuback = 11,
    Pingreq = 12,
    Pingresp = 13,
    Disconnect = 14,
    Auth = 15,
}

/// <summary>The protocol versions, by the level that CONNECT states.</summary>
internal enum ProtocolVersion : byte
{
    /// <summary>MQTT 3.1, protocol name `MQIsdp`.</summary>
    V31 = 3,

    /// <summary>MQTT 3.1.1.</summary>
    V311 = 4,

    /// <summary>MQTT 5.0.</summary>
    V5 = 5,
}
