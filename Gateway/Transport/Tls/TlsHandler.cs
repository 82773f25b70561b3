using System.Net.Security;
using System.Security.Authentication;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Broker.Gateway.Mqtt;
using Broker.Grains.Interfaces.Metrics;
using DotNetty.Buffers;
using DotNetty.Transport.Channels;

namespace Broker.Gateway.Transport.Tls;

/// <summary>Speaks TLS with the client: ciphertext before it in the pipeline, plain bytes behind it.</summary>
/// <remarks>The handshake runs on the thread pool, as a signature takes about a millisecond in which the loop could serve others; all else on the loop. When reading is
/// switched off the channel reads no more ciphertext; what has arrived already is decrypted and handed on, as it is without TLS.</remarks>
#pragma warning disable CA1001 // RunAsync disposes of both when the connection has ended
internal sealed class TlsHandler(Connection connection, ListenerSetup listener, TlsContext settings) : ChannelHandlerAdapter
#pragma warning restore CA1001
{
    private const int ReadBytes = 16 * 1024; // the largest TLS record's plaintext

    private SslStream tls = null!;
    private TlsWire wire = null!;
    private bool isEstablished;

    public override void HandlerAdded(IChannelHandlerContext context)
    {
        wire = new TlsWire(context);
        tls = new SslStream(wire, leaveInnerStreamOpen: true);
    }

    public override void ChannelActive(IChannelHandlerContext context)
    {
        connection.KeepAlive.ExpectConnect(listener.Options.Tls.HandshakeTimeout);
        _ = RunAsync(context);
    }

    public override void ChannelRead(IChannelHandlerContext context, object message) => wire.Give((IByteBuffer)message);

    public override void ChannelInactive(IChannelHandlerContext context)
    {
        wire.End();
        context.FireChannelInactive();
    }

    public override Task WriteAsync(IChannelHandlerContext context, object message)
    {
        var plain = (IByteBuffer)message;
        try
        {
            if (!isEstablished) return Task.CompletedTask; // it is being closed
            wire.Corks = true;
            tls.Write(plain.AsMemory().Span);
            return wire.LastWrite;
        }
        catch (Exception fault) when (IsPeersDoing(fault))
        {
            return context.CloseAsync(); // as a failed write does
        }
        finally
        {
            wire.Corks = false;
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
                _ = tls.ShutdownAsync(); // close_notify, written before this returns
            }
            catch (Exception fault) when (IsPeersDoing(fault))
            {
                // It cannot be told any more.
            }
        }

        return context.CloseAsync();
    }

    private static bool IsPeersDoing(Exception fault) =>
        fault is IOException or AuthenticationException or InvalidOperationException or CryptographicException or NotSupportedException;

    private async Task RunAsync(IChannelHandlerContext context)
    {
        var loop = context.Channel.EventLoop;
        try
        {
            await Task.Run(() => tls.AuthenticateAsServerAsync(settings.SelectAsync, null, CancellationToken.None)).ConfigureAwait(false);
            await new LoopSwitch(loop);
            if (connection.IsEnding) return;
            Identify();
            isEstablished = true;
            context.FireChannelActive();
            await PumpAsync(context);
            connection.OnClosed();
        }
        catch (Exception fault) when (IsPeersDoing(fault))
        {
            await new LoopSwitch(loop);
            if (isEstablished) connection.OnClosed();
            else connection.Abandon(Metric.ListenerTlsFailed, (fault.InnerException ?? fault).Message);
        }
        catch (Exception fault) // the boundary of this connection
        {
            await new LoopSwitch(loop);
            connection.Fail(fault);
        }
        finally
        {
            await new LoopSwitch(loop);
            isEstablished = false;
            await tls.DisposeAsync().ConfigureAwait(false);
        }
    }

    /// <summary>Hands on what the client sends, until it ends.</summary>
    private async Task PumpAsync(IChannelHandlerContext context)
    {
        var loop = context.Channel.EventLoop;
        while (true)
        {
            // Waits without a buffer: most connections are idle most of the time. SslStream goes on within Give, so on the loop; the switch is for when it does not.
            await tls.ReadAsync(Memory<byte>.Empty).ConfigureAwait(false);
            await new LoopSwitch(loop);
            var buffer = context.Allocator.HeapBuffer(ReadBytes);
            var count = 0;
            try
            {
                count = await tls.ReadAsync(buffer.Array.AsMemory(buffer.ArrayOffset, ReadBytes)).ConfigureAwait(false);
                await new LoopSwitch(loop);
            }
            finally
            {
                if (count == 0) buffer.Release();
            }

            if (count == 0) return;
            buffer.SetWriterIndex(count);
            context.FireChannelRead(buffer);
        }
    }

    private void Identify()
    {
        if (tls.RemoteCertificate is not X509Certificate2 certificate) return;
        var name = CertificateIdentity.CommonName(certificate);
        connection.Peer = listener.Identify(
            connection.Peer with { CommonName = name, Subject = certificate.Subject }, part => CertificateIdentity.Of(certificate, part));
    }
}
