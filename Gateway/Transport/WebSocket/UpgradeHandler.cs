using System.Net;
using Broker.Gateway.Mqtt;
using Broker.Gateway.Transport.Proxy;
using Broker.Grains.Interfaces.Metrics;
using DotNetty.Buffers;
using DotNetty.Transport.Channels;

namespace Broker.Gateway.Transport.WebSocket;

/// <summary>Takes the HTTP request that opens a WebSocket, answers it, and gives its place to a <see cref="WebSocketHandler"/>.</summary>
internal sealed class UpgradeHandler(Connection connection, ListenerSetup listener) : ChannelHandlerAdapter
{
    private readonly Prelude prelude = new(UpgradeRequest.MaxBytes);

    public override void ChannelActive(IChannelHandlerContext context) => connection.ExpectConnect();

    public override void ChannelRead(IChannelHandlerContext context, object message)
    {
        var buffer = (IByteBuffer)message;
        try
        {
            if (connection.IsEnding) return;
            var fits = prelude.TryAppend(buffer.AsMemory().Span);
            var outcome = UpgradeRequest.TryRead(prelude.Bytes.Span, out var request, out var consumed);
            if (outcome == ReadOutcome.Complete) Answer(context, request!, prelude.Bytes[consumed..]);
            else if (outcome == ReadOutcome.Invalid || !fits) Refuse(context, new UpgradeAnswer(400, "Bad Request"));
        }
        finally
        {
            buffer.Release();
        }
    }

    private void Answer(IChannelHandlerContext context, UpgradeRequest request, ReadOnlyMemory<byte> rest)
    {
        var answer = UpgradeAnswer.To(request, listener.Options.WebSocket);
        if (!answer.IsAccepted)
        {
            Refuse(context, answer);
            return;
        }

        if (ForwardedFor(request) is { } address)
        {
            connection.Peer = connection.Peer with { RemoteAddress = address };
            // The header can only take away: the address that the connection itself comes from has been allowed before.
            if (!listener.Access.Allows(address))
            {
                BrokerCounters.Add(Metric.ListenerDenied);
                Refuse(context, new UpgradeAnswer(403, "Forbidden"));
                return;
            }
        }

        context.WriteAndFlushAsync(Unpooled.WrappedBuffer(answer.ToBytes(request)));
        var deflate = answer.Deflates ? new MessageDeflate(listener.Options.WebSocket.MaxFrameSize) : null;
        context.Channel.Pipeline.AddAfter(context.Name, "websocket", new WebSocketHandler(connection, listener.Options.WebSocket.MaxFrameSize, deflate));
        context.FireChannelActive();
        if (rest.Length > 0) context.FireChannelRead(context.Allocator.HeapBuffer(rest.Span));
        context.Channel.Pipeline.Remove(this);
    }

    private void Refuse(IChannelHandlerContext context, UpgradeAnswer answer)
    {
        context.WriteAndFlushAsync(Unpooled.WrappedBuffer(answer.ToBytes(null)));
        connection.Abandon(Metric.ListenerUpgradeFailed, $"upgrade refused with {answer.Status}");
    }

    /// <summary>The client's address as the proxy in front tells it; null if it does not.</summary>
    private IPEndPoint? ForwardedFor(UpgradeRequest request)
    {
        var name = listener.Options.WebSocket.ProxyAddressHeader;
        if (name.Length == 0 || request.List(name).FirstOrDefault() is not { } first) return null;
        return IPAddress.TryParse(first, out var address) ? new IPEndPoint(address, 0) : null;
    }
}
