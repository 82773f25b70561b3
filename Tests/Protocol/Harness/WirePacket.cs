using System.Text;
using Broker.Gateway.Mqtt.Packets;
using Broker.Grains.Interfaces.Messages;

namespace Broker.Tests.Protocol.Harness;

/// <summary>Client packets built by hand, byte for byte. Nothing is checked, so that wrong ones can be made; level 3 is 3.1, 4 is 3.1.1, 5 is 5.0.</summary>
internal static class WirePacket
{
    public static readonly byte[] Pingreq = [0xC0, 0];

    public static byte[] U16(int value) => [(byte)(value >> 8), (byte)value];

    public static byte[] Text(string value) => Binary(Encoding.UTF8.GetBytes(value));

    public static byte[] Binary(byte[] value) => [.. U16(value.Length), .. value];

    public static byte[] VariableInteger(int value)
    {
        var to = new List<byte>();
        for (; value >= 0x80; value >>= 7) to.Add((byte)(value | 0x80));
        to.Add((byte)value);
        return [.. to];
    }

    /// <summary>A packet of any first byte and body.</summary>
    public static byte[] Raw(byte firstByte, params byte[] body) => [firstByte, .. VariableInteger(body.Length), .. body];

    public static byte[] Connect(
        string clientId, int level = 5, bool cleanStart = true, int keepAlive = 0, WireWill? will = null, string? userName = null, byte[]? password = null,
        WireProperties? properties = null, bool reservedFlag = false)
    {
        var flags = (reservedFlag ? 1 : 0) | (cleanStart ? 2 : 0) | (userName is null ? 0 : 0x80) | (password is null ? 0 : 0x40);
        if (will is not null) flags |= 4 | ((int)will.Qos << 3) | (will.Retain ? 0x20 : 0);
        var body = new List<byte>();
        body.AddRange([.. Text(level == 3 ? "MQIsdp" : "MQTT"), (byte)level, (byte)flags, .. U16(keepAlive), .. Properties(level, properties), .. Text(clientId)]);
        if (will is not null) body.AddRange([.. Properties(level, will.Properties), .. Text(will.Topic), .. Binary(will.Payload)]);
        if (userName is not null) body.AddRange(Text(userName));
        if (password is not null) body.AddRange(Binary(password));
        return Raw(0x10, [.. body]);
    }

    public static byte[] Publish(
        string topic, string payload = "", Qos qos = Qos.AtMostOnce, ushort id = 0, bool retain = false, bool dup = false, int level = 5, WireProperties? properties = null) =>
        Publish(topic, Encoding.UTF8.GetBytes(payload), qos, id, retain, dup, level, properties);

    public static byte[] Publish(string topic, byte[] payload, Qos qos, ushort id, bool retain = false, bool dup = false, int level = 5, WireProperties? properties = null) =>
        Raw((byte)(0x30 | (dup ? 8 : 0) | ((int)qos << 1) | (retain ? 1 : 0)),
            [.. Text(topic), .. qos == Qos.AtMostOnce ? [] : U16(id), .. Properties(level, properties), .. payload]);

    /// <summary>PUBACK, PUBREC, PUBREL or PUBCOMP; a code other than success makes it a 5.0 packet.</summary>
    public static byte[] Acknowledge(PacketType type, int id, ReasonCode code = ReasonCode.Success) =>
        Raw((byte)(((int)type << 4) | (type == PacketType.Pubrel ? 2 : 0)), code == ReasonCode.Success ? U16(id) : [.. U16(id), (byte)code]);

    public static byte[] Puback(int id) => Acknowledge(PacketType.Puback, id);

    public static byte[] Pubrec(int id, ReasonCode code = ReasonCode.Success) => Acknowledge(PacketType.Pubrec, id, code);

    public static byte[] Pubrel(int id) => Acknowledge(PacketType.Pubrel, id);

    public static byte[] Pubcomp(int id) => Acknowledge(PacketType.Pubcomp, id);

    /// <summary>SUBSCRIBE with one filter.</summary>
    /// <param name="options">In 5.0, what is added to the QoS: no local 4, retain as published 8, retain handling 0x10 and 0x20.</param>
    public static byte[] Subscribe(ushort id, string filter, Qos qos = Qos.AtMostOnce, int options = 0, int level = 5, WireProperties? properties = null) =>
        Subscribe(id, [(filter, (byte)((int)qos | options))], level, properties);

    /// <summary>SUBSCRIBE with many filters, each with its options byte.</summary>
    public static byte[] Subscribe(ushort id, (string Filter, byte Options)[] filters, int level = 5, WireProperties? properties = null) =>
        Raw(0x82, [.. U16(id), .. Properties(level, properties), .. filters.SelectMany(one => (byte[])[.. Text(one.Filter), one.Options])]);

    public static byte[] Unsubscribe(ushort id, string[] filters, int level = 5, WireProperties? properties = null) =>
        Raw(0xA2, [.. U16(id), .. Properties(level, properties), .. filters.SelectMany(Text)]);

    public static byte[] Disconnect(ReasonCode code = ReasonCode.Success, WireProperties? properties = null) =>
        code == ReasonCode.Success && properties is null ? Raw(0xE0) : Raw(0xE0, [(byte)code, .. Properties(5, properties)]);

    public static byte[] Auth(ReasonCode code, WireProperties? properties = null) => Raw(0xF0, [(byte)code, .. Properties(5, properties)]);

    private static byte[] Properties(int level, WireProperties? properties) => level < 5 ? [] : (properties ?? new WireProperties()).ToBytes();
}

/// <summary>The will in a CONNECT.</summary>
internal sealed record WireWill(string Topic, byte[] Payload, Qos Qos = Qos.AtMostOnce, bool Retain = false, WireProperties? Properties = null)
{
    public WireWill(string topic, string payload, Qos qos = Qos.AtMostOnce, bool retain = false, WireProperties? properties = null)
        : this(topic, Encoding.UTF8.GetBytes(payload), qos, retain, properties)
    {
    }
}
