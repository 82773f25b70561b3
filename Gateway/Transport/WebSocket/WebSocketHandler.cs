using System.Buffers.Binary;
using Broker.Gateway.Mqtt;
using Broker.Grains.Interfaces.Metrics;
using DotNetty.Buffers;
using DotNetty.Transport.Channels;

namespace Broker.Gateway.Transport.WebSocket;

/// <summary>Speaks WebSocket with the client: frames before it in the pipeline, a stream of bytes behind it.</summary>
/// <remarks>MQTT packets may span frames and share them, so payloads are handed on as they arrive, in place. Only compressed messages are collected.</remarks>
internal sealed class WebSocketHandler(Connection connection, int maxFrameSize, MessageDeflate? deflate) : ChannelHandlerAdapter
{
    private const int MaxCopiedBytes = 16 * 1024;
    private const ushort NormalClosure = 1000;
    private const ushort ProtocolError = 1002;
    private const ushort UnsupportedData = 1003;
    private const ushort InvalidPayload = 1007;
    private const ushort MessageTooBig = 1009;

    private readonly byte[] head = new byte[FrameHead.MaxBytes];
    private int headLength;
    private FrameHead frame;
    private bool inPayload;
    private ulong payloadRead;
    private byte[] control = [];
    private bool inMessage;
    private bool isCompressed;
    private bool isClosed;

    public override void ChannelRead(IChannelHandlerContext context, object message)
    {
        var buffer = (IByteBuffer)message;
        try
        {
            while (!isClosed && !connection.IsEnding && (buffer.IsReadable() || (inPayload && frame.Length == 0)))
            {
                if (inPayload) ReadPayload(context, buffer);
                else ReadHead(context, buffer.ReadByte());
            }
        }
        catch (InvalidDataException)
        {
            Fail(context, InvalidPayload, "not compressed data");
        }
        finally
        {
            buffer.Release();
        }
    }

    public override Task WriteAsync(IChannelHandlerContext context, object message)
    {
        var plain = (IByteBuffer)message;
        if (deflate is null && plain.ReadableBytes > MaxCopiedBytes)
        {
            var prefix = context.Allocator.HeapBuffer(FrameHead.MaxBytes);
            prefix.SetWriterIndex(FrameHead.Write(prefix.Array.AsSpan(prefix.ArrayOffset), Opcode.Binary, false, plain.ReadableBytes));
            _ = context.WriteAsync(prefix);
            return context.WriteAsync(plain);
        }

        try
        {
            return deflate is null
                ? WriteFrame(context, Opcode.Binary, plain.AsMemory().Span)
                : WriteFrame(context, Opcode.Binary, MessageDeflate.Compress(plain.AsMemory().Span).Span, compressed: true);
        }
        finally
        {
            plain.Release();
        }
    }

    public override Task CloseAsync(IChannelHandlerContext context)
    {
        SendClose(context, NormalClosure);
        return context.CloseAsync();
    }

    private static Task WriteFrame(IChannelHandlerContext context, Opcode opcode, ReadOnlySpan<byte> payload, bool compressed = false)
    {
        var buffer = context.Allocator.HeapBuffer(FrameHead.MaxBytes + payload.Length);
        var space = buffer.Array.AsSpan(buffer.ArrayOffset);
        var start = FrameHead.Write(space, opcode, compressed, payload.Length);
        payload.CopyTo(space[start..]);
        buffer.SetWriterIndex(start + payload.Length);
        return context.WriteAsync(buffer);
    }

    private void ReadHead(IChannelHandlerContext context, byte next)
    {
        head[headLength++] = next;
        if (!FrameHead.TryRead(head.AsSpan(0, headLength), out frame, out var needed))
        {
            if (needed == 0) Fail(context, ProtocolError, "frame not allowed");
            return;
        }

        (headLength, payloadRead, inPayload) = (0, 0, true);
        if (frame.IsControl)
        {
            control = new byte[frame.Length];
            return;
        }

        if (frame.Opcode == Opcode.Text) Fail(context, UnsupportedData, "text frame");
        else if (frame.Length > (ulong)maxFrameSize) Fail(context, MessageTooBig, "frame too large");
        else if (inMessage != (frame.Opcode == Opcode.Continuation)) Fail(context, ProtocolError, "frame out of order");
        else if (frame.IsCompressed && (inMessage || deflate is null)) Fail(context, ProtocolError, "compressed frame out of place");
        else if (!inMessage) isCompressed = frame.IsCompressed;
        inMessage = !frame.IsLast;
    }

    private void ReadPayload(IChannelHandlerContext context, IByteBuffer buffer)
    {
        var part = buffer.ReadSlice((int)Math.Min(frame.Length - payloadRead, (ulong)buffer.ReadableBytes));
        var bytes = part.AsMemory().Span;
        frame.Unmask(bytes, payloadRead);
        if (frame.IsControl) bytes.CopyTo(control.AsSpan((int)payloadRead));
        payloadRead += (ulong)bytes.Length;
        var isWhole = payloadRead == frame.Length;
        if (isWhole) inPayload = false; // before it is handed on: what that leads to may come back here
        if (frame.IsControl)
        {
            if (isWhole) Control(context);
        }
        else if (isCompressed)
        {
            Collect(context, bytes, isWhole && frame.IsLast);
        }
        else if (bytes.Length > 0)
        {
            part.Retain();
            context.FireChannelRead(part);
        }
    }

    private void Collect(IChannelHandlerContext context, ReadOnlySpan<byte> bytes, bool isWhole)
    {
        var fits = deflate!.TryCollect(bytes);
        if (fits && !isWhole) return;
        if (fits && deflate.Inflate(context.Allocator) is { } message) context.FireChannelRead(message);
        else Fail(context, MessageTooBig, "message too large");
    }

    private void Control(IChannelHandlerContext context)
    {
        switch (frame.Opcode)
        {
            // Who sends pings and does not read the answers gets none.
            case Opcode.Ping when context.Channel.IsWritable:
                _ = WriteFrame(context, Opcode.Pong, control);
                context.Flush();
                break;
            case Opcode.Close:
                SendClose(context, control.Length >= 2 ? BinaryPrimitives.ReadUInt16BigEndian(control) : NormalClosure);
                connection.OnClosed();
                break;
        }
    }

    private void Fail(IChannelHandlerContext context, ushort code, string reason)
    {
        SendClose(context, code);
        connection.Abandon(Metric.ListenerFrameFailed, reason);
    }

    private void SendClose(IChannelHandlerContext context, ushort code)
    {
        if (isClosed) return;
        isClosed = true;
        Span<byte> payload = stackalloc byte[2];
        BinaryPrimitives.WriteUInt16BigEndian(payload, code);
        _ = WriteFrame(context, Opcode.Close, payload);
        context.Flush();
    }
}
