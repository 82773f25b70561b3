using System.Globalization;
using System.IO.Compression;
using System.Net;
using Broker.Gateway.Mqtt;
using Broker.Tests.Protocol.Harness;
using Microsoft.Extensions.DependencyInjection;
using Xunit;

namespace Broker.Tests.Protocol.Transport;

/// <summary>WebSocket: the upgrade, and frames of every shape.</summary>
public sealed class WebSocketTests
{
    private const byte Binary = 0x82;
    private const byte CloseFrame = 0x88;
    private static readonly byte[] Connect = WirePacket.Connect("socket", 4);
    private static readonly byte[] Connack = [0x20, 2, 0, 0];

    [Theory]
    [InlineData("", "/mqtt", "400")]
    [InlineData("Sec-WebSocket-Protocol: chat\r\n", "/mqtt", "400")]
    [InlineData("Sec-WebSocket-Protocol: mqtt\r\n", "/other", "404")]
    [InlineData("Sec-WebSocket-Protocol: mqtt\r\nOrigin: https://evil.example\r\n", "/mqtt", "403")]
    [InlineData("Sec-WebSocket-Protocol: mqtt\r\nOrigin: https://good.example\r\n", "/mqtt", "101")]
    [InlineData("Sec-WebSocket-Protocol: chat, mqttv3.1, mqtt\r\n", "/mqtt", "101", "mqttv3.1")]
    [InlineData("Sec-WebSocket-Protocol: mqtt\r\nSec-WebSocket-Version: 8\r\n", "/mqtt", "426")]
    public async Task UpgradeIsAnswered_AsTheHeadersSay(string headers, string path, string status, string subprotocol = "mqtt")
    {
        await using var broker = await StartAsync(new() { ["Listeners:ws:WebSocket:CheckOrigin"] = "true", ["Listeners:ws:WebSocket:Origins"] = "https://good.example" });
        await using var peer = await WebSocketPeer.OpenAsync(broker.PortOf("ws"), headers, path);
        Assert.StartsWith($"HTTP/1.1 {status} ", peer.Answer, StringComparison.Ordinal);
        if (status == "101") Assert.Contains($"\r\nSec-WebSocket-Protocol: {subprotocol}\r\n", peer.Answer, StringComparison.Ordinal);
        else await peer.ExpectEndAsync();
    }

    [Fact]
    public async Task UpgradeSucceeds_WhenNoSubprotocolIsNeeded()
    {
        await using var broker = await StartAsync(new() { ["Listeners:ws:WebSocket:FailIfNoSubprotocol"] = "false" });
        await using var peer = await WebSocketPeer.OpenAsync(broker.PortOf("ws"), "");
        Assert.StartsWith("HTTP/1.1 101 ", peer.Answer, StringComparison.Ordinal);
        Assert.Contains("Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=", peer.Answer, StringComparison.Ordinal);
    }

    [Fact]
    public async Task PacketsAreWhole_WhenFramesCutAndJoinThem()
    {
        await using var broker = await StartAsync();
        await using var peer = await WebSocketPeer.OpenAsync(broker.PortOf("ws"));
        // CONNECT in three fragments with a ping between them, all in one write, then two packets in one frame.
        await peer.SendAsync(
        [
            .. WebSocketPeer.Frame(0x02, Connect[..3]), .. WebSocketPeer.Frame(0x89, 7, 8), .. WebSocketPeer.Frame(0x00), .. WebSocketPeer.Frame(0x80, Connect[3..]),
            .. WebSocketPeer.Frame(Binary, 0xC0, 0, 0xC0, 0),
        ]);
        Assert.Equal((0x8A, "0708"), await ReceiveHexAsync(peer));
        var got = new List<byte>();
        while (got.Count < 8) got.AddRange((await peer.ReceiveAsync()).Payload);
        Assert.Equal([.. Connack, 0xD0, 0, 0xD0, 0], got);
    }

    [Fact]
    public async Task PacketsAreWhole_WhenBytesComeOneByOne()
    {
        await using var broker = await StartAsync();
        await using var peer = await WebSocketPeer.OpenAsync(broker.PortOf("ws"));
        foreach (var one in WebSocketPeer.Frame(Binary, Connect)) await peer.SendAsync(one);
        Assert.Equal((Binary, Convert.ToHexString(Connack)), await ReceiveHexAsync(peer));
    }

    [Theory]
    [InlineData("text", 1003)]
    [InlineData("unmasked", 1002)]
    [InlineData("continuation", 1002)]
    [InlineData("long ping", 1002)]
    [InlineData("compressed", 1002)]
    [InlineData("large", 1009)]
    public async Task IsClosedWithItsCode_WhenFrameIsNotAllowed(string frame, int code)
    {
        await using var broker = await StartAsync(new() { ["Listeners:ws:WebSocket:MaxFrameSize"] = "2000" });
        await using var peer = await WebSocketPeer.OpenAsync(broker.PortOf("ws"));
        await peer.SendAsync(frame switch
        {
            "text" => WebSocketPeer.Frame(0x81, Connect),
            "unmasked" => [Binary, 1, 0],
            "continuation" => WebSocketPeer.Frame(0x80, Connect),
            "long ping" => WebSocketPeer.Frame(0x89, new byte[126]),
            "compressed" => WebSocketPeer.Frame(0xC2, Connect),
            _ => WebSocketPeer.Frame(Binary, new byte[2001]),
        });
        Assert.Equal((CloseFrame, code.ToString("X4", CultureInfo.InvariantCulture)), await ReceiveHexAsync(peer));
        await peer.ExpectEndAsync();
    }

    [Fact]
    public async Task CloseIsAnswered_WhenTheClientCloses()
    {
        await using var broker = await StartAsync();
        await using var peer = await WebSocketPeer.OpenAsync(broker.PortOf("ws"));
        await peer.SendAsync(WebSocketPeer.Frame(CloseFrame, 3, 0xE8));
        Assert.Equal((CloseFrame, "03E8"), await ReceiveHexAsync(peer));
        await peer.ExpectEndAsync();
    }

    [Fact]
    public async Task RefusalArrivesBeforeClose_WhenConnectIsRefused()
    {
        await using var broker = await StartAsync();
        await using var peer = await WebSocketPeer.OpenAsync(broker.PortOf("ws"));
        await peer.SendAsync(WebSocketPeer.Frame(Binary, WirePacket.Connect("", 4, cleanStart: false)));
        Assert.Equal((Binary, "20020002"), await ReceiveHexAsync(peer));
        Assert.Equal((CloseFrame, "03E8"), await ReceiveHexAsync(peer));
    }

    [Fact]
    public async Task MessagesAreCompressed_WhenAgreed()
    {
        await using var broker = await StartAsync(new() { ["Listeners:ws:WebSocket:Compression"] = "true" });
        await using var peer = await WebSocketPeer.OpenAsync(
            broker.PortOf("ws"), "Sec-WebSocket-Protocol: mqtt\r\nSec-WebSocket-Extensions: permessage-deflate; client_max_window_bits\r\n");
        Assert.Contains("permessage-deflate; server_no_context_takeover; client_no_context_takeover", peer.Answer, StringComparison.Ordinal);
        var compressed = Compress(Connect);
        await peer.SendAsync([.. WebSocketPeer.Frame(0x42, compressed[..4]), .. WebSocketPeer.Frame(0x80, compressed[4..])]);
        var (first, payload) = await peer.ReceiveAsync();
        Assert.Equal((0xC2, Convert.ToHexString(Connack)), (first, Convert.ToHexString(Inflate(payload))));
        await peer.SendAsync(WebSocketPeer.Frame(0xC2, 0xFF, 0xFF, 0xFF));
        Assert.Equal((CloseFrame, "03EF"), await ReceiveHexAsync(peer));
    }

    [Fact]
    public async Task MessageIsRefused_WhenItInflatesTooFar()
    {
        await using var broker = await StartAsync(new() { ["Listeners:ws:WebSocket:Compression"] = "true", ["Listeners:ws:WebSocket:MaxFrameSize"] = "20000" });
        await using var peer = await WebSocketPeer.OpenAsync(broker.PortOf("ws"), "Sec-WebSocket-Protocol: mqtt\r\nSec-WebSocket-Extensions: permessage-deflate\r\n");
        await peer.SendAsync(WebSocketPeer.Frame(0xC2, Compress(new byte[10_000_000])));
        Assert.Equal((CloseFrame, "03F1"), await ReceiveHexAsync(peer));
    }

    [Theory]
    [InlineData("X-Forwarded-For: 203.0.113.9, 10.0.0.1\r\n", "203.0.113.9")]
    [InlineData("X-Forwarded-For: unknown\r\n", "127.0.0.1")]
    [InlineData("X-Forwarded-For: 198.51.100.1\r\n", null)]
    public async Task ClientHasTheForwardedAddress_WhenAProxyTellsIt(string header, string? expected)
    {
        await using var broker = await StartAsync(new() { ["Listeners:ws:Access:0"] = "deny 198.51.100.0/24" });
        await using var peer = await WebSocketPeer.OpenAsync(broker.PortOf("ws"), "Sec-WebSocket-Protocol: mqtt\r\n" + header);
        if (expected is null)
        {
            Assert.StartsWith("HTTP/1.1 403 ", peer.Answer, StringComparison.Ordinal);
            return;
        }

        await peer.SendAsync(WebSocketPeer.Frame(Binary, Connect));
        await peer.ReceiveAsync();
        var client = Assert.Single(broker.Services.GetRequiredService<ConnectionTable>().Enumerate()).Client!;
        Assert.Equal((expected, "ws"), (((IPEndPoint)client.RemoteAddress!).Address.MapToIPv4().ToString(), client.Listener));
    }

    private static Task<BrokerHost> StartAsync(Dictionary<string, string?>? settings = null) => BrokerHost.StartAsync(new(settings ?? [])
    {
        ["Listeners:ws:Kind"] = "ws",
        ["Listeners:ws:Address"] = "127.0.0.1",
        ["Listeners:ws:Port"] = "0",
    });

    private static async Task<(int First, string Payload)> ReceiveHexAsync(WebSocketPeer peer)
    {
        var (first, payload) = await peer.ReceiveAsync();
        return (first, Convert.ToHexString(payload));
    }

    private static byte[] Compress(byte[] message)
    {
        var output = new MemoryStream();
        using var deflater = new DeflateStream(output, CompressionLevel.Optimal);
        deflater.Write(message);
        deflater.Flush();
        return output.ToArray()[..^4];
    }

    private static byte[] Inflate(byte[] message)
    {
        using var inflater = new DeflateStream(new MemoryStream([.. message, 0, 0, 0xFF, 0xFF]), CompressionMode.Decompress);
        var output = new MemoryStream();
        inflater.CopyTo(output);
        return output.ToArray();
    }
}
