using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Net.WebSockets;
using System.Security.Cryptography.X509Certificates;
using System.Text;

namespace Broker.Tests.Protocol.Transport.Fuzz;

/// <summary>A socket to a listener, and the layers that are spoken on it.</summary>
internal sealed class ListenerPeer : IAsyncDisposable
{
    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(20);
    private readonly Socket socket = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
    private MeddlingStream? wire;
    private SslStream? tls;

    private ListenerPeer()
    {
    }

    /// <summary>What is written here is handed to the layer behind those that are spoken.</summary>
    public Stream Stream { get; private set; } = Stream.Null;

    /// <summary>How many bytes have been sent.</summary>
    public int Sent => wire!.Sent;

    /// <exception cref="TimeoutException">The broker neither answers nor closes.</exception>
    public static async Task<ListenerPeer> OpenAsync(EveryListener broker, string listener, Layer[] layers, Meddling meddling = default)
    {
        var peer = new ListenerPeer();
        try
        {
            await peer.socket.ConnectAsync(IPAddress.Loopback, broker.PortOf(listener)).WaitAsync(Deadline);
            peer.Stream = peer.wire = new MeddlingStream(peer.socket, meddling);
            foreach (var layer in layers) peer.Stream = await peer.SpeakAsync(layer, broker).WaitAsync(Deadline);
            return peer;
        }
        catch
        {
            await peer.DisposeAsync();
            throw;
        }
    }

    /// <summary>Sends nothing more, but reads to the end.</summary>
    /// <param name="politely">Whether TLS is told too.</param>
    /// <exception cref="TimeoutException">The broker does not close.</exception>
    public async Task FinishAsync(bool politely)
    {
        if (politely && tls is not null) await tls.ShutdownAsync().WaitAsync(Deadline);
        socket.Shutdown(SocketShutdown.Send);
        await ReadToEndAsync().WaitAsync(Deadline);
    }

    /// <summary>Reads until the broker closes.</summary>
    public async Task ReadToEndAsync()
    {
        var answer = new byte[4096];
        while (await socket.ReceiveAsync(answer) > 0)
        {
        }
    }

    /// <summary>Resets the connection.</summary>
    public void Reset()
    {
        socket.LingerState = new LingerOption(true, 0);
        socket.Close();
    }

    public ValueTask DisposeAsync()
    {
        socket.Dispose();
        tls?.Dispose();
        return ValueTask.CompletedTask;
    }

    private async Task<Stream> SpeakAsync(Layer layer, EveryListener broker)
    {
        switch (layer)
        {
            case Layer.ProxyV1 or Layer.ProxyV2:
                await Stream.WriteAsync(HostileBytes.ProxyHeader(layer));
                return Stream;
            case Layer.Tls or Layer.MutualTls:
                tls = new SslStream(Stream);
                using (var device = layer == Layer.MutualTls ? X509Certificate2.CreateFromPemFile(broker.Device.Certificate, broker.Device.Key) : null)
                {
                    await tls.AuthenticateAsClientAsync(HostileBytes.ClientOptions(device));
                }

                return tls;
            case Layer.Psk:
                var psk = new PskClientStream(Stream);
                await psk.AuthenticateAsync();
                return psk;
            default:
                await Stream.WriteAsync(HostileBytes.Upgrade);
                await ReadHeadersAsync(Stream);
                var frames = WebSocket.CreateFromStream(Stream, new WebSocketCreationOptions { SubProtocol = "mqtt", KeepAliveInterval = TimeSpan.Zero });
                return WebSocketStream.Create(frames, WebSocketMessageType.Binary);
        }
    }

    private static async Task ReadHeadersAsync(Stream stream)
    {
        var (answer, next) = (new StringBuilder(), new byte[1]);
        while (!answer.ToString().EndsWith("\r\n\r\n", StringComparison.Ordinal))
        {
            if (await stream.ReadAsync(next) == 0) throw new EndOfStreamException();
            answer.Append((char)next[0]);
        }
    }
}
