using Broker.Gateway.Mqtt;
using Broker.Grains.Interfaces.Metrics;
using DotNetty.Buffers;
using DotNetty.Transport.Channels;

namespace Broker.Gateway.Transport.Proxy;

/// <summary>First handler behind a proxy: takes the PROXY header off and leaves the pipeline.</summary>
internal sealed class ProxyHandler(Connection connection, ListenerSetup listener) : ChannelHandlerAdapter
{
    private readonly Prelude prelude = new(ProxyHeader.MaxBytes);

    public override void ChannelActive(IChannelHandlerContext context) => connection.KeepAlive.ExpectConnect(listener.Options.ProxyProtocolTimeout);

    public override void ChannelRead(IChannelHandlerContext context, object message)
    {
        var buffer = (IByteBuffer)message;
        try
        {
            if (connection.IsEnding) return;
            var fits = prelude.TryAppend(buffer.AsMemory().Span);
            var outcome = ProxyHeader.TryRead(prelude.Bytes.Span, out var header, out var consumed);
            if (outcome == ReadOutcome.Complete) Pass(context, header!, prelude.Bytes[consumed..]);
            else if (outcome == ReadOutcome.Invalid || !fits) connection.Abandon(Metric.ListenerProxyFailed, "no PROXY header");
        }
        finally
        {
            buffer.Release();
        }
    }

    private void Pass(IChannelHandlerContext context, ProxyHeader header, ReadOnlyMemory<byte> rest)
    {
        var peer = connection.Peer with { RemoteAddress = header.Source ?? connection.Peer.RemoteAddress, CommonName = header.CommonName };
        connection.Peer = listener.Identify(peer, part => part == "cn" ? header.CommonName : null);
        if (!listener.Access.Allows(peer.RemoteAddress))
        {
            connection.Abandon(Metric.ListenerDenied, "address not allowed");
            return;
        }

        context.FireChannelActive();
        if (rest.Length > 0) context.FireChannelRead(context.Allocator.HeapBuffer(rest.Span));
        context.Channel.Pipeline.Remove(this);
    }
}
