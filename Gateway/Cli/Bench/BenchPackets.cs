using System.Buffers.Binary;
using System.Text;
using Broker.Gateway.Mqtt.Codec;

namespace Broker.Gateway.Cli.Bench;

/// <summary>The packets that a benchmark's clients send.</summary>
internal static class BenchPackets
{
    public const byte Connack = 2, Publish = 3, Puback = 4, Pubrec = 5, Pubrel = 6, Pubcomp = 7, Suback = 9, Pingresp = 13, Disconnect = 14;

    /// <summary>What a payload begins with if it says when it was sent: these, then nanoseconds since 1970, big-endian.</summary>
    public static ReadOnlySpan<byte> Mark => "bnch"u8;

    /// <summary>Bytes of mark and time; shorter payloads say nothing.</summary>
    public const int StampBytes = 12;

    public static ReadOnlySpan<byte> Pingreq => [0xC0, 0];

    public static byte[] Connect(BenchOptions options, string clientId)
    {
        var body = new List<byte>();
        body.AddRange(Text(options.Version == 3 ? "MQIsdp" : "MQTT"));
        body.Add((byte)options.Version);
        body.Add((byte)((options.Clean ? 2 : 0) | (options.UserName is null ? 0 : 0x80) | (options.Password is null ? 0 : 0x40)));
        body.AddRange([(byte)(options.KeepAlive >> 8), (byte)options.KeepAlive]);
        // A 5.0 session outlives its connection only if it says how long: two hours, as 3.x ones do here.
        if (options.Version == 5) body.AddRange(options.Clean ? [0] : [5, 0x11, 0, 0, 0x1C, 0x20]);
        body.AddRange(Text(clientId));
        if (options.UserName is not null) body.AddRange(Text(options.UserName));
        if (options.Password is not null) body.AddRange(Text(options.Password));
        return Packet(0x10, body);
    }

    public static byte[] Subscribe(BenchOptions options, string filter)
    {
        List<byte> body = [0, 1];
        if (options.Version == 5) body.Add(0);
        body.AddRange(Text(filter));
        body.Add((byte)options.Qos);
        return Packet(0x82, body);
    }

    /// <summary>A PUBLISH to send again and again.</summary>
    /// <param name="identifierAt">Where its packet identifier goes; 0 if it has none.</param>
    /// <param name="payloadAt">Where its payload begins.</param>
    public static byte[] PublishOf(BenchOptions options, string topic, out int identifierAt, out int payloadAt)
    {
        var body = new List<byte>();
        body.AddRange(Text(topic));
        var identifierInBody = body.Count;
        if (options.Qos > 0) body.AddRange([0, 0]);
        if (options.Version == 5) body.Add(0);
        var payloadInBody = body.Count;
        var payload = new byte[options.Size];
        payload.AsSpan().Fill((byte)'x');
        if (payload.Length >= StampBytes) Mark.CopyTo(payload);
        body.AddRange(payload);
        var packet = Packet((byte)(0x30 | (options.Qos << 1) | (options.Retain ? 1 : 0)), body);
        var head = packet.Length - body.Count;
        (identifierAt, payloadAt) = (options.Qos > 0 ? head + identifierInBody : 0, head + payloadInBody);
        return packet;
    }

    /// <summary>An acknowledgement: four bytes in all versions.</summary>
    public static void WriteAcknowledgement(Span<byte> to, byte type, int identifier)
    {
        to[0] = (byte)((type << 4) | (type == Pubrel ? 2 : 0));
        to[1] = 2;
        BinaryPrimitives.WriteUInt16BigEndian(to[2..], (ushort)identifier);
    }

    private static byte[] Text(string text)
    {
        var utf8 = Encoding.UTF8.GetBytes(text);
        return [(byte)(utf8.Length >> 8), (byte)utf8.Length, .. utf8];
    }

    private static byte[] Packet(byte head, List<byte> body)
    {
        var packet = new byte[1 + VariableByteInteger.Size(body.Count) + body.Count];
        packet[0] = head;
        var at = 1 + VariableByteInteger.Write(body.Count, packet.AsSpan(1));
        body.CopyTo(packet, at);
        return packet;
    }
}
