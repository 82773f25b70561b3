using System.Buffers;
using Broker.Gateway.Mqtt.Codec;
using Broker.Gateway.Mqtt.Limits;
using Broker.Gateway.Mqtt.Packets;
using Broker.Grains.Interfaces.Metrics;
using DotNetty.Buffers;
using DotNetty.Transport.Channels;

namespace Broker.Gateway.Mqtt;

/// <summary>Last handler of the pipeline: cuts the stream of bytes into packets and drives the <see cref="Connection"/>.</summary>
/// <remarks>Packets are read in place, from the receive buffer; only what a read leaves incomplete is kept. After a malformed packet, and while
/// the connection is busy with an earlier packet, nothing more is read.</remarks>
/// <param name="rates">What the client may send; null if that is not limited.</param>
internal sealed class FrameHandler(Connection connection, int maximumPacketSize, RateLimiter? rates = null) : ChannelHandlerAdapter
{
    private readonly RateLimiter? usualLimits = rates;

    /// <summary>What the client may send: what its listener lets all send, unless an operator says otherwise.</summary>
    private RateLimiter? limits = rates;
    private byte[]? kept;
    private int keptLength;

    public override void ChannelActive(IChannelHandlerContext context) => connection.ExpectConnect();

    public override void ChannelRead(IChannelHandlerContext context, object message)
    {
        var buffer = (IByteBuffer)message;
        try
        {
            var input = buffer.HasArray
                ? buffer.Array.AsSpan(buffer.ArrayOffset + buffer.ReaderIndex, buffer.ReadableBytes)
                : buffer.GetIoBuffer(buffer.ReaderIndex, buffer.ReadableBytes).AsSpan();
            connection.Traffic.Reads++;
            connection.Traffic.BytesReceived += input.Length;
            BrokerCounters.Add(Metric.BytesReceived, input.Length);
            Receive(input);
            limits?.OnRead(input.Length);
        }
        finally
        {
            buffer.Release();
        }
    }

    public override void ChannelWritabilityChanged(IChannelHandlerContext context) => connection.OnWritabilityChanged();

    public override void ChannelInactive(IChannelHandlerContext context)
    {
        connection.OnClosed();
        Keep([]);
    }

    public override void ExceptionCaught(IChannelHandlerContext context, Exception exception) => connection.OnException(exception);

    /// <summary>Holds the client to other rates than its listener's; null takes those again. On the loop.</summary>
    public void Limit(ClientRates? other) => limits = other is null ? usualLimits : other.For(connection);

    /// <summary>Goes on with what was kept: the connection is no longer busy.</summary>
    public void Resume()
    {
        if (keptLength == 0 || !connection.TakesPackets) return;
        var consumed = Parse(kept.AsSpan(0, keptLength));
        // What ended the connection may have given the buffer back already.
        Keep(connection.IsEnding ? [] : kept.AsSpan(consumed, keptLength - consumed));
    }

    private void Receive(ReadOnlySpan<byte> input)
    {
        if (connection.IsEnding) return;
        if (keptLength == 0)
        {
            var consumed = connection.TakesPackets ? Parse(input) : 0;
            if (consumed < input.Length) Keep(input[consumed..]);
            return;
        }

        Append(input);
        Resume();
    }

    /// <returns>How many bytes were used up.</returns>
    private int Parse(ReadOnlySpan<byte> input)
    {
        var at = 0;
        connection.Loop.BeginRead();
        limits?.BeginRead(connection.Loop.ReadAt);
        try
        {
            while (at < input.Length && connection.TakesPackets
                && FrameReader.TryRead(input[at..], maximumPacketSize, out var firstByte, out var bodyStart, out var bodyLength)
                && input.Length - at >= bodyStart + bodyLength)
            {
                var body = input.Slice(at + bodyStart, bodyLength);
                at += bodyStart + bodyLength;
                connection.Traffic.PacketsReceived++;
                connection.OnFrame(firstByte, body);
                if (limits is not null && firstByte >> 4 == (int)PacketType.Publish) limits.OnMessage();
            }
        }
        catch (MalformedPacketException fault)
        {
            connection.OnMalformed(fault);
        }
        catch (Exception error) // the boundary of this connection, whoever let it go on
        {
            connection.Fail(error);
        }

        return connection.IsEnding ? input.Length : at;
    }

    private void Append(ReadOnlySpan<byte> input)
    {
        if (kept is null || kept.Length - keptLength < input.Length)
        {
            var larger = ArrayPool<byte>.Shared.Rent(Math.Max(keptLength + input.Length, keptLength * 2));
            kept.AsSpan(0, keptLength).CopyTo(larger);
            if (kept is not null) ArrayPool<byte>.Shared.Return(kept);
            kept = larger;
        }

        input.CopyTo(kept.AsSpan(keptLength));
        keptLength += input.Length;
    }

    /// <summary>Keeps only this, which may be a part of what is kept already.</summary>
    private void Keep(ReadOnlySpan<byte> rest)
    {
        if (rest.IsEmpty)
        {
            if (kept is not null) ArrayPool<byte>.Shared.Return(kept);
            kept = null;
        }
        else if (kept is null)
        {
            kept = ArrayPool<byte>.Shared.Rent(rest.Length);
            rest.CopyTo(kept);
        }
        else
        {
            rest.CopyTo(kept);
        }

        keptLength = rest.Length;
    }
}
