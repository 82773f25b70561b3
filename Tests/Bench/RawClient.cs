using System.Net.Sockets;
using System.Text;

namespace Broker.Bench;

/// <summary>A bare MQTT 3.1.1 client on a socket: it says what it is told and counts bytes.</summary>
internal sealed class RawClient(Socket socket) : IDisposable
{
    public static async Task<RawClient> ConnectAsync(int port, string clientId, bool clean)
    {
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        await socket.ConnectAsync("127.0.0.1", port);
        var client = new RawClient(socket);
        await client.SendAsync(Packet(0x10, [0, 4, .. "MQTT"u8, 4, (byte)(clean ? 2 : 0), 0, 0, .. Text(clientId)]));
        await client.ReceiveAsync(4);
        return client;
    }

    public static byte[] Subscribe(int qos, params string[] filters) =>
        Packet(0x82, [0, 1, .. filters.SelectMany(filter => (byte[])[.. Text(filter), (byte)qos])]);

    public static byte[] Publish(string topic, int qos, int identifier, int payload)
    {
        byte[] id = qos > 0 ? [(byte)(identifier >> 8), (byte)identifier] : [];
        return Packet((byte)(0x30 | (qos << 1)), [.. Text(topic), .. id, .. Enumerable.Repeat((byte)'x', payload)]);
    }

    public async Task SendAsync(ReadOnlyMemory<byte> packets)
    {
        while (!packets.IsEmpty) packets = packets[await socket.SendAsync(packets)..];
    }

    /// <summary>Waits for exactly so many bytes.</summary>
    public async Task ReceiveAsync(int count)
    {
        var buffer = new byte[count];
        for (var got = 0; got < count;) got += await ReceiveAsync(buffer.AsMemory(got), CancellationToken.None);
    }

    /// <summary>Whatever has come, at least a byte.</summary>
    public async Task<int> ReceiveAsync(Memory<byte> buffer, CancellationToken stop)
    {
        var count = await socket.ReceiveAsync(buffer, stop);
        return count > 0 ? count : throw new IOException("The broker closed the connection.");
    }

    public void Dispose() => socket.Dispose();

    private static byte[] Text(string text)
    {
        var utf8 = Encoding.UTF8.GetBytes(text);
        return [(byte)(utf8.Length >> 8), (byte)utf8.Length, .. utf8];
    }

    private static byte[] Packet(byte head, byte[] body)
    {
        var length = new List<byte>();
        for (var left = body.Length; ; left >>= 7)
        {
            length.Add((byte)(left > 127 ? (left & 127) | 128 : left));
            if (left <= 127) break;
        }

        return [head, .. length, .. body];
    }
}
