using System.Text;
using Broker.Gateway.Mqtt.Codec;
using Broker.Grains.Interfaces.Messages;
using Xunit;

namespace Broker.Tests.Unit.Gateway.Mqtt.Codec;

/// <summary>Puts a packet's body together byte by byte, right or wrong, without the code under test.</summary>
internal sealed class Wire
{
    private readonly List<byte> bytes = [];

    public byte[] ToArray() => bytes.ToArray();

    public Wire Bytes(params byte[] value)
    {
        bytes.AddRange(value);
        return this;
    }

    public Wire UInt16(int value) => Bytes((byte)(value >> 8), (byte)value);

    public Wire UInt32(uint value) => UInt16((int)(value >> 16)).UInt16((int)(value & 0xFFFF));

    /// <summary>Bytes behind their length.</summary>
    public Wire Binary(params byte[] value) => UInt16(value.Length).Bytes(value);

    public Wire Text(string value) => Binary(Encoding.UTF8.GetBytes(value));

    /// <summary>A property length of one byte and the properties.</summary>
    public Wire Properties(Action<Wire> write)
    {
        var section = new Wire();
        write(section);
        return Bytes((byte)section.bytes.Count).Bytes(section.ToArray());
    }

    public static byte[] Body(Action<Wire> write)
    {
        var wire = new Wire();
        write(wire);
        return wire.ToArray();
    }

    /// <summary>Reads one whole packet by frame reader and codec.</summary>
    public static object Read(MqttCodec codec, ReadOnlySpan<byte> packet)
    {
        Assert.True(FrameReader.TryRead(packet, int.MaxValue, out var firstByte, out var bodyStart, out var bodyLength));
        Assert.Equal(packet.Length, bodyStart + bodyLength);
        return Read(codec, firstByte, packet[bodyStart..].ToArray());
    }

    /// <summary>Reads one body.</summary>
    public static object Read(MqttCodec codec, byte firstByte, byte[] body)
    {
        var handler = new RecordingHandler();
        codec.Decode(firstByte, body, handler);
        return Assert.Single(handler.Received);
    }

    /// <summary>Proves that a body is refused with a code, and that nothing was handed over before.</summary>
    public static void Refused(ReasonCode code, MqttCodec codec, byte firstByte, byte[] body)
    {
        var handler = new RecordingHandler();
        var refusal = Assert.Throws<MalformedPacketException>(() => codec.Decode(firstByte, body, handler));
        Assert.Equal(code, refusal.Code);
        Assert.Empty(handler.Received);
    }

    /// <summary>A control packet as a codec writes it, its measure proven right.</summary>
    public static byte[] Written(MqttCodec codec, Broker.Gateway.Mqtt.Packets.ControlPacket packet)
    {
        var size = codec.Measure(packet);
        var to = new byte[size];
        Assert.Equal(size, codec.Write(packet, to));
        return to;
    }

    /// <summary>A PUBLISH as a codec writes it, its measure proven right.</summary>
    public static byte[] Written(MqttCodec codec, in Broker.Gateway.Mqtt.Packets.OutboundPublish packet)
    {
        var size = codec.Measure(in packet);
        var to = new byte[size];
        codec.Write(in packet, size, to);
        return to;
    }
}
