using System.Buffers.Binary;
using System.Text;
using Broker.Gateway.Mqtt.Codec;
using Broker.Gateway.Mqtt.Packets;
using Broker.Tests.Unit.Gateway.Transport.Epoll;
using DotNetty.Buffers;
using DotNetty.Transport.Channels.Embedded;

namespace Broker.Tests.Unit.Gateway;

/// <summary>The far end of a channel: sees what was written, sends bytes, and may stop taking any.</summary>
internal sealed class Peer(ManualLoop loop)
{
    private bool isV5;

    public EmbeddedChannel Channel { get; } = Make();

    public TrackingAllocator Allocator => (TrackingAllocator)Channel.Configuration.Allocator;

    /// <summary>Whether the socket takes bytes.</summary>
    public bool TakesBytes
    {
        set
        {
            Channel.Unsafe.OutboundBuffer!.SetUserDefinedWritability(1, value);
            Channel.RunPendingTasks();
        }
    }

    public Peer SpeaksV5()
    {
        isV5 = true;
        return this;
    }

    /// <summary>All that was written since the last look, buffer by buffer.</summary>
    public List<byte[]> Buffers()
    {
        loop.RunAll();
        Channel.RunPendingTasks();
        var written = new List<byte[]>();
        while (Channel.ReadOutbound<IByteBuffer>() is { } buffer)
        {
            var bytes = new byte[buffer.ReadableBytes];
            buffer.ReadBytes(bytes);
            buffer.Release();
            written.Add(bytes);
        }

        return written;
    }

    /// <summary>All bytes that were written since the last look.</summary>
    public byte[] Bytes() => [.. Buffers().SelectMany(bytes => bytes)];

    /// <summary>The packets that were written since the last look: `topic:payload q1 #1 dup`, `Puback #1`, `Suback`.</summary>
    public List<string> Packets()
    {
        var packets = new List<string>();
        ReadOnlySpan<byte> rest = Bytes();
        while (!rest.IsEmpty)
        {
            if (!FrameReader.TryRead(rest, int.MaxValue, out var first, out var start, out var length)) throw new InvalidOperationException("half a packet");
            packets.Add(Describe(first, rest.Slice(start, length)));
            rest = rest[(start + length)..];
        }

        return packets;
    }

    /// <summary>Bytes arrive.</summary>
    public void Send(params byte[] bytes)
    {
        Channel.Pipeline.FireChannelRead(Unpooled.CopiedBuffer(bytes));
        Channel.RunPendingTasks();
    }

    private static EmbeddedChannel Make()
    {
        var channel = new EmbeddedChannel();
        channel.Configuration.Allocator = new TrackingAllocator();
        return channel;
    }

    private string Describe(byte first, ReadOnlySpan<byte> body)
    {
        var type = (PacketType)(first >> 4);
        if (type is >= PacketType.Puback and <= PacketType.Pubcomp)
        {
            var code = body.Length > 2 && body[2] != 0 ? $" 0x{body[2]:X2}" : "";
            return $"{type} #{BinaryPrimitives.ReadUInt16BigEndian(body)}{code}";
        }

        if (type == PacketType.Disconnect) return $"{type} 0x{(body.IsEmpty ? 0 : body[0]):X2}";
        if (type != PacketType.Publish) return type.ToString();
        var topicLength = BinaryPrimitives.ReadUInt16BigEndian(body);
        var text = new StringBuilder(Encoding.UTF8.GetString(body.Slice(2, topicLength)));
        var at = 2 + topicLength;
        var qos = first >> 1 & 3;
        var identifier = 0;
        if (qos > 0)
        {
            identifier = BinaryPrimitives.ReadUInt16BigEndian(body[at..]);
            at += 2;
        }

        var properties = "";
        if (isV5)
        {
            var size = body[at++];
            properties = " " + Convert.ToHexString(body.Slice(at, size));
            at += size;
        }

        text.Append(':').Append(Encoding.UTF8.GetString(body[at..])).Append(" q").Append(qos);
        if (qos > 0) text.Append(" #").Append(identifier);
        if ((first & 1) != 0) text.Append(" retain");
        if ((first & 8) != 0) text.Append(" dup");
        return text.Append(properties.TrimEnd()).ToString();
    }
}
