using System.Buffers.Binary;
using System.Net.Sockets;
using System.Text;

namespace Broker.Tests.Protocol.Transport;

/// <summary>A WebSocket client on a real socket that sends exactly the frames it is told.</summary>
internal sealed class WebSocketPeer : IAsyncDisposable
{
    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(10);
    private readonly TcpClient socket = new() { NoDelay = true };

    /// <summary>The head of the answer to the upgrade.</summary>
    public string Answer { get; private set; } = "";

    public static async Task<WebSocketPeer> OpenAsync(int port, string headers = "Sec-WebSocket-Protocol: mqtt\r\n", string path = "/mqtt")
    {
        var peer = new WebSocketPeer();
        await peer.socket.ConnectAsync("127.0.0.1", port);
        await peer.SendAsync(Request(headers, path));
        var answer = new List<byte>();
        while (!Encoding.ASCII.GetString([.. answer]).EndsWith("\r\n\r\n", StringComparison.Ordinal)) answer.AddRange(await peer.ReadAsync(1));
        peer.Answer = Encoding.ASCII.GetString([.. answer]);
        return peer;
    }

    public static byte[] Request(string headers, string path = "/mqtt") => Encoding.ASCII.GetBytes(
        $"GET {path} HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: keep-alive, Upgrade\r\nSec-WebSocket-Version: 13\r\n"
        + $"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n{headers}\r\n");

    /// <summary>A frame as a client sends it.</summary>
    /// <param name="first">The first byte: 0x82 is a whole binary frame.</param>
    public static byte[] Frame(byte first, params byte[] payload)
    {
        byte[] mask = [1, 2, 3, 4];
        byte[] length = payload.Length < 126 ? [(byte)(0x80 | payload.Length)] : [0xFE, (byte)(payload.Length >> 8), (byte)payload.Length];
        return [first, .. length, .. mask, .. payload.Select((one, i) => (byte)(one ^ mask[i % 4]))];
    }

    public async Task SendAsync(params byte[] bytes) => await socket.GetStream().WriteAsync(bytes);

    /// <summary>The next frame: its first byte and payload.</summary>
    public async Task<(byte First, byte[] Payload)> ReceiveAsync()
    {
        var head = await ReadAsync(2);
        int length = head[1];
        if (length == 126) length = BinaryPrimitives.ReadUInt16BigEndian(await ReadAsync(2));
        return (head[0], await ReadAsync(length));
    }

    /// <summary>Waits until the server has closed the connection; what it sent before is dropped.</summary>
    public async Task ExpectEndAsync()
    {
        var buffer = new byte[4096];
        try
        {
            while (await socket.GetStream().ReadAsync(buffer).AsTask().WaitAsync(Deadline) > 0)
            {
            }
        }
        catch (IOException)
        {
            // A reset is an end too.
        }
    }

    public ValueTask DisposeAsync()
    {
        socket.Dispose();
        return ValueTask.CompletedTask;
    }

    private async Task<byte[]> ReadAsync(int count)
    {
        var bytes = new byte[count];
        await socket.GetStream().ReadExactlyAsync(bytes).AsTask().WaitAsync(Deadline);
        return bytes;
    }
}
