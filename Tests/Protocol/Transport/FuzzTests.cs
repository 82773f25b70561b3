using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Text;
using Broker.Gateway.Mqtt;
using Broker.Grains.Interfaces.Messages;
using Broker.Tests.Protocol.Harness;
using Microsoft.Extensions.DependencyInjection;
using Xunit;

namespace Broker.Tests.Protocol.Transport;

/// <summary>Well-formed beginnings of every kind of connection, mutilated. Nothing is logged as an error, nothing is left behind, others are served.</summary>
public sealed class FuzzTests : IDisposable
{
    private const int Seeds = 300;
    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(30);
    private readonly TestCertificates certificates = new();

    public FuzzTests() => certificates.Sign("server", "CN=server", "localhost").Dispose();

    public void Dispose() => certificates.Dispose();

    [Theory]
    [InlineData("tcp")]
    [InlineData("proxy")]
    [InlineData("tls")] // its records
    [InlineData("psk")]
    [InlineData("inside tls")]
    [InlineData("ws")]
    [InlineData("wss")]
    [InlineData("inside wss")]
    public async Task NothingHappens_WhenValidBytesAreMutilated(string kind)
    {
        var isInside = kind.StartsWith("inside ", StringComparison.Ordinal);
        var transport = kind.Split(' ')[^1];
        await using var broker = await BrokerHost.StartAsync(await SettingsAsync(transport));
        var valid = await ValidAsync(transport, isInside);
        await Parallel.ForEachAsync(Enumerable.Range(0, Seeds), new ParallelOptions { MaxDegreeOfParallelism = 16 }, async (seed, _) =>
        {
            try
            {
                await SendAsync(broker, Mutilate(valid[seed % valid.Length], new Random(seed)), isInside);
            }
            catch (TimeoutException)
            {
                Assert.Fail($"{kind}, seed {seed}: the broker neither reads nor closes");
            }
        });
        var table = broker.Services.GetRequiredService<ConnectionTable>();
        using var patience = new CancellationTokenSource(Deadline);
        while (table.Count > 0)
        {
            if (patience.IsCancellationRequested) Assert.Fail($"{kind}: {table.Count} connections are left");
            await Task.Delay(5);
        }

        await using var good = await RawClient.ConnectAsync(broker, "good");
        await good.SubscribeAsync("t");
        await good.PublishAsync("t", "x", Qos.AtMostOnce);
        await good.ExpectPublishAsync("t", "x");
    }

    /// <summary>Flips bits, cuts, repeats, inserts or exchanges: one to four times.</summary>
    private static byte[] Mutilate(byte[] valid, Random random)
    {
        List<byte> bytes = [.. valid];
        for (var times = random.Next(1, 5); times > 0 && bytes.Count > 1; times--)
        {
            var (at, count) = (random.Next(bytes.Count), random.Next(1, 9));
            switch (random.Next(6))
            {
                case 0: bytes[at] ^= (byte)(1 << random.Next(8)); break;
                case 1: bytes[at] = (byte)random.Next(256); break;
                case 2: bytes.RemoveRange(at, bytes.Count - at); break;
                case 3: bytes.RemoveRange(at, Math.Min(count, bytes.Count - at)); break;
                case 4: bytes.InsertRange(at, bytes.Skip(at).Take(count * 4).ToArray()); break;
                default: bytes.InsertRange(at, Enumerable.Range(0, count).Select(_ => (byte)random.Next(256)).ToArray()); break;
            }
        }

        return [.. bytes];
    }

    private static async Task SendAsync(BrokerHost broker, byte[] bytes, bool inside)
    {
        using var socket = new TcpClient { NoDelay = true, LingerState = new LingerOption(true, 0) };
        await socket.ConnectAsync(IPAddress.Loopback, broker.PortOf("tls"));
        await using var stream = inside ? new SslStream(socket.GetStream(), false, (_, certificate, _, _) => certificate is not null) : (Stream)socket.GetStream();
        try
        {
            if (stream is SslStream tls) await tls.AuthenticateAsClientAsync("localhost").WaitAsync(Deadline);
            await stream.WriteAsync(bytes).AsTask().WaitAsync(Deadline);
            socket.Client.Shutdown(SocketShutdown.Send);
            var answer = new byte[4096];
            while (await stream.ReadAsync(answer).AsTask().WaitAsync(Deadline) > 0)
            {
            }
        }
        catch (Exception fault) when (fault is IOException or SocketException or System.Security.Authentication.AuthenticationException or ObjectDisposedException)
        {
            // The broker has closed it.
        }
    }

    /// <summary>What a good client would send, in several ways.</summary>
    private static async Task<byte[][]> ValidAsync(string transport, bool inside)
    {
        var will = new WireWill("will", "x", Qos.AtLeastOnce);
        byte[][] mqtt = [.. new[] { 3, 4, 5 }.Select(level => (byte[])
        [
            .. WirePacket.Connect("fuzz", level, keepAlive: 60, will: will, userName: "u", password: "p"u8.ToArray()), .. WirePacket.Subscribe(1, "a/+/#", Qos.ExactlyOnce, level: level),
            .. WirePacket.Publish("a/b/c", "payload", Qos.ExactlyOnce, 2, level: level), .. WirePacket.Pubrel(2), .. WirePacket.Unsubscribe(3, ["a/+/#"], level), .. WirePacket.Pingreq,
        ])];
        var upgrade = WebSocketPeer.Request("Sec-WebSocket-Protocol: mqtt\r\nSec-WebSocket-Extensions: permessage-deflate\r\n");
        return transport switch
        {
            "proxy" => [.. mqtt.Select(one => (byte[])[.. "PROXY TCP4 203.0.113.9 192.0.2.1 1 1883\r\n"u8, .. one]), .. mqtt.Select(one => (byte[])[.. ProxyBytes.V2(new IPEndPoint(IPAddress.Parse("203.0.113.9"), 1), "device"), .. one])],
            "ws" => [.. mqtt.Select(one => Framed(upgrade, one))],
            "wss" when inside => [.. mqtt.Select(one => Framed(upgrade, one))],
            "tls" when inside => mqtt,
            "tls" or "psk" or "wss" => [await HelloAsync()],
            _ => mqtt,
        };
    }

    private static byte[] Framed(byte[] upgrade, byte[] mqtt) =>
        [.. upgrade, .. WebSocketPeer.Frame(0x02, mqtt[..10]), .. WebSocketPeer.Frame(0x89, 1, 2), .. WebSocketPeer.Frame(0x80, mqtt[10..]), .. WebSocketPeer.Frame(0x88, 3, 0xE8)];

    /// <summary>The first record of a real handshake, and one behind it.</summary>
    private static async Task<byte[]> HelloAsync()
    {
        var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        using var client = new TcpClient();
        await client.ConnectAsync((IPEndPoint)listener.LocalEndpoint);
        using var server = await listener.AcceptTcpClientAsync();
        listener.Stop();
        await using var tls = new SslStream(client.GetStream());
        var handshake = tls.AuthenticateAsClientAsync("localhost");
        var hello = new byte[4096];
        var length = await server.GetStream().ReadAsync(hello);
        server.Close();
        await Assert.ThrowsAnyAsync<Exception>(() => handshake);
        return [.. hello[..length], 0x17, 3, 3, 0, 16, .. Encoding.ASCII.GetBytes("no record at all")];
    }

    private async Task<Dictionary<string, string?>> SettingsAsync(string transport)
    {
        var settings = certificates.Listener(transport switch
        {
            "proxy" => "tcp",
            "psk" => "tls",
            _ => transport,
        });
        settings["Mqtt:IdleTimeout"] = settings["Listeners:tls:Tls:HandshakeTimeout"] = "00:00:02"; // what is waited for where a mutilated length promises more
        if (transport == "proxy") (settings["Listeners:tls:ProxyProtocol"], settings["Listeners:tls:ProxyProtocolTimeout"]) = ("true", "00:00:02");
        if (transport == "psk")
        {
            await File.WriteAllTextAsync(certificates.FileOf("psk"), "device:0123456789abcdef");
            (settings["Listeners:tls:Tls:PskFile"], settings["Listeners:tls:Tls:Certificate"]) = (certificates.FileOf("psk"), null);
        }

        return settings;
    }
}
