using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Net.WebSockets;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;

namespace Broker.Gateway.Cli.Bench;

/// <summary>Opens a benchmark's connections: TCP, and on it TLS and WebSocket.</summary>
internal sealed class Dialer(BenchOptions options)
{
    private const int LongestAnswer = 4096;

    // Lets the kernel choose the port when it knows the peer: an address then serves as many connections to each peer.
    private const int BindAddressNoPort = 24;

    private readonly Dictionary<string, IPAddress> resolved = [];
    private readonly X509Certificate2? certificate = options.CertificateFile is null ? null : Load(options.CertificateFile, options.KeyFile);

    /// <summary>Looks up the hosts, once.</summary>
    public async Task ResolveAsync(CancellationToken cancellation)
    {
        foreach (var host in options.Hosts.Select(host => host.Host).Distinct())
        {
            var addresses = await Dns.GetHostAddressesAsync(host, cancellation);
            resolved[host] = addresses.FirstOrDefault(address => address.AddressFamily == AddressFamily.InterNetwork) ?? addresses[0];
        }
    }

    /// <summary>Opens the connection of a client.</summary>
    /// <param name="number">Chooses among hosts and own addresses, in turn.</param>
    public async Task<Stream> OpenAsync(int number, CancellationToken cancellation)
    {
        var host = options.Hosts[number % options.Hosts.Count];
        var peer = new IPEndPoint(resolved[host.Host], host.Port);
        var socket = new Socket(peer.AddressFamily, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        try
        {
            if (options.Sources.Count > 0) Bind(socket, options.Sources[number % options.Sources.Count]);
            await socket.ConnectAsync(peer, cancellation);
            Stream stream = new NetworkStream(socket, ownsSocket: true);
            if (options.Tls) stream = await EncryptAsync(stream, host.Host, cancellation);
            return options.WebSocket ? await UpgradeAsync(stream, host, cancellation) : stream;
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    private static void Bind(Socket socket, IPAddress address)
    {
        if (OperatingSystem.IsLinux()) socket.SetRawSocketOption(0, BindAddressNoPort, BitConverter.GetBytes(1));
        socket.Bind(new IPEndPoint(address, 0));
    }

    private async Task<Stream> EncryptAsync(Stream stream, string host, CancellationToken cancellation)
    {
        var secure = new SslStream(stream);
        await secure.AuthenticateAsClientAsync(
            new SslClientAuthenticationOptions
            {
                TargetHost = host,
                ClientCertificates = certificate is null ? null : [certificate],
#pragma warning disable CA5359 // it is load that is wanted, not trust
                RemoteCertificateValidationCallback = static (_, _, _, _) => true,
#pragma warning restore CA5359
            },
            cancellation);
        return secure;
    }

    private static async Task<Stream> UpgradeAsync(Stream stream, DnsEndPoint host, CancellationToken cancellation)
    {
        var key = Convert.ToBase64String(RandomNumberGenerator.GetBytes(16));
        await stream.WriteAsync(
            Encoding.ASCII.GetBytes($"GET /mqtt HTTP/1.1\r\nHost: {host.Host}:{host.Port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Protocol: mqtt\r\n\r\n"),
            cancellation);
        // The server says nothing of its own before CONNECT: what comes is the answer and nothing else.
        var answer = new byte[LongestAnswer];
        var count = 0;
        while (count < answer.Length && !answer.AsSpan(0, count).EndsWith("\r\n\r\n"u8))
        {
            var read = await stream.ReadAsync(answer.AsMemory(count), cancellation);
            if (read == 0) throw new IOException("upgrade refused");
            count += read;
        }

        if (!Encoding.ASCII.GetString(answer, 0, count).StartsWith("HTTP/1.1 101 ", StringComparison.Ordinal)) throw new IOException("upgrade refused");
        var socket = WebSocket.CreateFromStream(stream, new WebSocketCreationOptions { IsServer = false, SubProtocol = "mqtt", KeepAliveInterval = TimeSpan.Zero });
        return WebSocketStream.Create(socket, WebSocketMessageType.Binary, ownsWebSocket: true);
    }

    private static X509Certificate2 Load(string certificate, string? key)
    {
        try
        {
            return X509Certificate2.CreateFromPemFile(certificate, key);
        }
        catch (CryptographicException fault)
        {
            throw CtlException.Usage($"{certificate} and {key} cannot be read: {fault.Message}");
        }
    }
}
