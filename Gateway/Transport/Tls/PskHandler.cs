using Broker.Gateway.Mqtt;
using Broker.Grains.Interfaces.Metrics;
using DotNetty.Buffers;
using DotNetty.Transport.Channels;
using Org.BouncyCastle.Tls;

namespace Broker.Gateway.Transport.Tls;

/// <summary>Speaks TLS with a pre-shared key, which SslStream cannot: BouncyCastle's protocol, driven by what arrives.</summary>
/// <remarks>All on the loop: without certificates a handshake is a few hashes.</remarks>
internal sealed class PskHandler(Connection connection, ListenerSetup listener, PskKeys keys) : ChannelHandlerAdapter
{
    private readonly PskServer server = new(keys, listener.Options.Tls.HandshakeTimeout);
    private readonly TlsServerProtocol tls = new();
    private bool isEstablished;

    public override void ChannelActive(IChannelHandlerContext context)
    {
        connection.KeepAlive.ExpectConnect(listener.Options.Tls.HandshakeTimeout);
        tls.Accept(server);
    }

    public override void ChannelRead(IChannelHandlerContext context, object message)
    {
        var buffer = (IByteBuffer)message;
        try
        {
            if (connection.IsEnding) return;
            var input = buffer.AsMemory();
            tls.OfferInput(input.ToArray());
            _ = Send(context);
            context.Flush();
            if (!isEstablished && tls.IsConnected) Establish(context);
            Deliver(context);
            if (tls.IsClosed) connection.OnClosed();
        }
        catch (IOException fault)
        {
            _ = Send(context); // the alert
            context.Flush();
            if (isEstablished) connection.OnClosed();
            else connection.Abandon(Metric.ListenerTlsFailed, fault.Message);
        }
        finally
        {
            buffer.Release();
        }
    }

    public override Task WriteAsync(IChannelHandlerContext context, object message)
    {
        var plain = (IByteBuffer)message;
        try
        {
            if (!isEstablished) return Task.CompletedTask; // it is being closed
            tls.WriteApplicationData(plain.AsMemory().Span);
            return Send(context);
        }
        catch (IOException)
        {
            return context.CloseAsync(); // as a failed write does
        }
        finally
        {
            plain.Release();
        }
    }

    public override Task CloseAsync(IChannelHandlerContext context)
    {
        if (isEstablished)
        {
            isEstablished = false;
            try
            {
                tls.Close();
                _ = Send(context); // close_notify
                context.Flush();
            }
            catch (IOException)
            {
                // It cannot be told any more.
            }
        }

        return context.CloseAsync();
    }

    private void Establish(IChannelHandlerContext context)
    {
        isEstablished = true;
        connection.Peer = listener.Identify(connection.Peer with { CommonName = server.Identity }, part => part == "cn" ? server.Identity : null);
        context.FireChannelActive();
    }

    private void Deliver(IChannelHandlerContext context)
    {
        var count = tls.GetAvailableInputBytes();
        if (count == 0) return;
        var plain = new byte[count];
        tls.ReadInput(plain, 0, count);
        context.FireChannelRead(Unpooled.WrappedBuffer(plain));
    }

    private Task Send(IChannelHandlerContext context)
    {
        var count = tls.GetAvailableOutputBytes();
        if (count == 0) return Task.CompletedTask;
        var ciphertext = new byte[count];
        tls.ReadOutput(ciphertext, 0, count);
        return context.WriteAsync(Unpooled.WrappedBuffer(ciphertext));
    }
}
