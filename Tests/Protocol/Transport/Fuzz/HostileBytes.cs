using System.IO.Compression;
using System.Net;
using System.Net.Security;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using Broker.Grains.Interfaces.Messages;
using Broker.Tests.Protocol.Harness;
using Xunit;

namespace Broker.Tests.Protocol.Transport.Fuzz;

/// <summary>What good clients send, and what becomes of it.</summary>
internal static class HostileBytes
{
    private const string Host = "localhost";
    private static readonly IPEndPoint Client = new(IPAddress.Parse("203.0.113.9"), 4711);

    /// <summary>The request that opens a WebSocket without compression.</summary>
    public static byte[] Upgrade { get; } = WebSocketPeer.Request("Sec-WebSocket-Protocol: mqtt\r\n");

    /// <summary>The same with compression.</summary>
    public static byte[] DeflatingUpgrade { get; } = WebSocketPeer.Request("Sec-WebSocket-Protocol: mqtt\r\nSec-WebSocket-Extensions: permessage-deflate\r\n");

    /// <summary>A client that uses every field of CONNECT and most kinds of packet, in 3.1, 3.1.1 and 5.0.</summary>
    public static byte[][] Mqtt { get; } = [.. new[] { 3, 4, 5 }.Select(level => (byte[])
    [
        .. WirePacket.Connect("fuzz", level, keepAlive: 60, will: new WireWill("will", "x", Qos.AtLeastOnce), userName: "u", password: "p"u8.ToArray()),
        .. WirePacket.Subscribe(1, "a/+/#", Qos.ExactlyOnce, level: level), .. WirePacket.Publish("a/b/c", "payload", Qos.ExactlyOnce, 2, level: level), .. WirePacket.Pubrel(2),
        .. WirePacket.Unsubscribe(3, ["a/+/#"], level), .. WirePacket.Pingreq,
    ])];

    public static byte[] ProxyHeader(Layer layer) => layer == Layer.ProxyV1 ? "PROXY TCP4 203.0.113.9 192.0.2.1 1 1883\r\n"u8.ToArray() : ProxyBytes.V2(Client, "device");

    /// <summary>How clients speak TLS: whichever server answers.</summary>
    public static SslClientAuthenticationOptions ClientOptions(X509Certificate2? certificate = null, SslProtocols versions = SslProtocols.None) => new()
    {
        TargetHost = Host,
        EnabledSslProtocols = versions,
        RemoteCertificateValidationCallback = (_, shown, _, _) => shown is not null,
        ClientCertificates = certificate is null ? null : [certificate],
        AllowTlsResume = false,
    };

    /// <summary>What good clients send to begin with at these layers: as much as they can without an answer.</summary>
    public static async Task<byte[][]> ValidAsync(Layer[] layers) => layers switch
    {
        [] => Mqtt,
        [Layer.ProxyV2, Layer.Tls] => [.. (await HellosAsync()).Select(hello => (byte[])[.. ProxyHeader(Layer.ProxyV2), .. hello])],
        [Layer.ProxyV1 or Layer.ProxyV2] => [.. Mqtt.Select(one => (byte[])[.. ProxyHeader(layers[0]), .. one])],
        [Layer.WebSocket] => [.. Mqtt.Select(Framed), Deflated(Mqtt[1])],
        [Layer.Psk] => [await RecordAsync(stream => new PskClientStream(stream).AuthenticateAsync())],
        _ => await HellosAsync(),
    };

    /// <summary>Random bytes, a part of them behind a valid beginning.</summary>
    public static byte[] Random(byte[] valid, Random random)
    {
        var bytes = new byte[random.Next(1, 300)];
        random.NextBytes(bytes);
        return random.Next(3) == 0 ? bytes : [.. valid[..random.Next(1, Math.Min(valid.Length, 64))], .. bytes];
    }

    /// <summary>Flips bits, cuts, repeats, inserts or exchanges: one to four times.</summary>
    public static byte[] Mutilated(byte[] valid, Random random)
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

    /// <summary>Hellos that ask for hosts whose names are none; a character is a byte.</summary>
    public static async Task<(string Host, byte[] Hello)[]> OddHostsAsync()
    {
        string[] hosts = ["local ost", ".........", "-ocalhost", "localhos.", "*.calhost", "1.2.3.4.5", "a..lhost.", "xn--abcde"];
        var hellos = await HellosAsync();
        return [.. hosts.SelectMany(host => hellos.Select(hello => (host, Replaced(hello, Encoding.Latin1.GetBytes(host)))))];
    }

    /// <summary>A whole message, compressed.</summary>
    public static byte[] Compressed(byte[] message)
    {
        var output = new MemoryStream();
        using var deflater = new DeflateStream(output, CompressionLevel.Optimal);
        deflater.Write(message);
        deflater.Flush();
        return WebSocketPeer.Frame(0xC2, output.ToArray()[..^4]);
    }

    private static byte[] Framed(byte[] mqtt) =>
        [.. Upgrade, .. WebSocketPeer.Frame(0x02, mqtt[..10]), .. WebSocketPeer.Frame(0x89, 1, 2), .. WebSocketPeer.Frame(0x80, mqtt[10..]), .. WebSocketPeer.Frame(0x88, 3, 0xE8)];

    private static byte[] Deflated(byte[] mqtt) => [.. DeflatingUpgrade, .. Compressed(mqtt), .. Compressed(WirePacket.Pingreq)];

    private static byte[] Replaced(byte[] hello, byte[] host)
    {
        var at = hello.AsSpan().IndexOf("localhost"u8);
        Assert.True(at > 0 && host.Length == Host.Length);
        return [.. hello[..at], .. host, .. hello[(at + host.Length)..]];
    }

    /// <summary>ClientHello of TLS 1.2, and of 1.3, and what is no record behind it.</summary>
    private static async Task<byte[][]> HellosAsync()
    {
        var hellos = new List<byte[]>();
        foreach (var version in new[] { SslProtocols.Tls12, SslProtocols.Tls12 | SslProtocols.Tls13 })
        {
            var hello = await RecordAsync(async stream =>
            {
                await using var tls = new SslStream(stream);
                await tls.AuthenticateAsClientAsync(ClientOptions(versions: version));
            });
            hellos.Add([.. hello, 0x17, 3, 3, 0, 16, .. "no record at all"u8]);
        }

        return [.. hellos];
    }

    /// <summary>What is sent before an answer.</summary>
    private static async Task<byte[]> RecordAsync(Func<Stream, Task> speak)
    {
        var sent = new MemoryStream();
        await Assert.ThrowsAnyAsync<IOException>(() => speak(sent));
        return sent.ToArray();
    }
}
