using System.Net.Sockets;
using System.Text;
using Xunit;

namespace Broker.Tests.Cluster.Harness;

/// <summary>A connection on which every packet and its identifier is seen. Library clients hide what these tests are about.</summary>
/// <remarks>Used by one task at a time.</remarks>
internal sealed class WireClient : IDisposable
{
    private readonly TcpClient tcp = new() { NoDelay = true };
    private readonly MemoryStream outgoing = new();
    private readonly Queue<WirePacket> aside = new();
    private readonly string clientId;
    private readonly bool isV5;
    private readonly TimeSpan limit;
    private BufferedStream stream = null!;

    private WireClient(ConnectOptions options) => (clientId, isV5, limit) = (options.ClientId, options.IsV5, options.Patience);

    /// <summary>What CONNACK said.</summary>
    public WirePacket Connack { get; private set; } = null!;

    /// <summary>Connects; CONNACK may hold a refusal.</summary>
    /// <exception cref="IOException">The connection ended before CONNACK.</exception>
    public static async Task<WireClient> OpenAsync(int port, ConnectOptions options)
    {
        var client = new WireClient(options);
        try
        {
            await client.tcp.ConnectAsync(options.Host, port).WaitAsync(client.limit);
            client.stream = new BufferedStream(client.tcp.GetStream(), 65_536);
            client.Connect(options);
            await client.FlushAsync();
            client.Connack = await client.ReadAsync(WirePacket.Connack);
            return client;
        }
        catch (Exception error)
        {
            client.Dispose();
            if (error is SocketException) throw new IOException(error.Message, error);
            throw;
        }
    }

    /// <summary>Connects and demands success.</summary>
    public static async Task<WireClient> ConnectAsync(int port, ConnectOptions options)
    {
        var client = await OpenAsync(port, options);
        Assert.Equal(0, client.Connack.Code);
        return client;
    }

    public void Publish(string topic, string payload, int qos = 0, ushort identifier = 0, bool dup = false, bool retain = false) => Write(
        (byte)(0x30 | (dup ? 8 : 0) | qos << 1 | (retain ? 1 : 0)),
        body =>
        {
            Text(body, topic);
            if (qos > 0) UInt16(body, identifier);
            if (isV5) body.WriteByte(0);
            body.Write(Encoding.UTF8.GetBytes(payload));
        });

    /// <summary>PUBACK, PUBREC, PUBREL or PUBCOMP.</summary>
    public void Acknowledge(int type, ushort identifier) => Write((byte)(type << 4 | (type == WirePacket.Pubrel ? 2 : 0)), body => UInt16(body, identifier));

    /// <summary>SUBSCRIBE.</summary>
    public void Subscribe(string filter, int qos) => Write(0x82, body =>
    {
        UInt16(body, 1);
        if (isV5) body.WriteByte(0);
        Text(body, filter);
        body.WriteByte((byte)qos);
    });

    /// <summary>SUBSCRIBE, answered by SUBACK with what was asked for.</summary>
    public async Task SubscribeAsync(string filter, int qos)
    {
        Subscribe(filter, qos);
        await FlushAsync();
        var answer = await ReadAsync(WirePacket.Suback);
        Assert.Equal(qos, answer.Body[^1]);
    }

    /// <summary>UNSUBSCRIBE, answered.</summary>
    public async Task UnsubscribeAsync(string filter)
    {
        Write(0xA2, body =>
        {
            UInt16(body, 2);
            if (isV5) body.WriteByte(0);
            Text(body, filter);
        });
        await FlushAsync();
        await ReadAsync(WirePacket.Unsuback);
    }

    /// <summary>Everything sent before has been handled by the broker when this completes; what came meanwhile is kept for reading.</summary>
    public async Task PingAsync()
    {
        Write(0xC0, _ => { });
        await FlushAsync();
        var answer = await ReadAsync(WirePacket.Pingresp);
        Assert.Equal(WirePacket.Pingresp, answer.Type);
    }

    /// <summary>A normal DISCONNECT, then the end of the connection.</summary>
    public async Task DisconnectAsync()
    {
        Write(0xE0, _ => { });
        await FlushAsync();
        Assert.Null(await ReadAsync());
    }

    public async Task FlushAsync()
    {
        try
        {
            await tcp.GetStream().WriteAsync(outgoing.GetBuffer().AsMemory(0, (int)outgoing.Length)).AsTask().WaitAsync(limit);
            outgoing.SetLength(0);
        }
        catch (Exception ended) when (ended is ObjectDisposedException or InvalidOperationException)
        {
            throw new IOException("closed", ended);
        }
    }

    /// <summary>Reads up to a packet of that type; others are kept for <see cref="ReadAsync()"/>.</summary>
    public async Task<WirePacket> ReadAsync(int type)
    {
        var passed = new List<WirePacket>();
        while (true)
        {
            var packet = await ReadAsync() ?? throw new IOException($"{clientId}: closed while waiting for packet type {type}");
            if (packet.Type == type)
            {
                foreach (var one in passed) aside.Enqueue(one);
                return packet;
            }

            passed.Add(packet);
        }
    }

    /// <summary>The packets that came before the last answer waited for, and were not asked for.</summary>
    public IReadOnlyCollection<WirePacket> Aside => aside;

    /// <summary>The next packet; null at the end of the connection.</summary>
    public async Task<WirePacket?> ReadAsync()
    {
        if (aside.TryDequeue(out var kept)) return kept;
        try
        {
            var head = new byte[1];
            if (await FillAsync(head) == 0) return null;
            var first = head[0];
            int length = 0, shift = 0;
            do
            {
                if (await FillAsync(head) == 0) return null;
                length |= (head[0] & 127) << shift;
                shift += 7;
            }
            while ((head[0] & 128) != 0);
            var body = new byte[length];
            return await FillAsync(body) < length ? null : new WirePacket(first, body, isV5);
        }
        catch (Exception ended) when (ended is IOException or ObjectDisposedException or NotSupportedException)
        {
            return null; // a stream closed under its reader says the last
        }
        catch (TimeoutException)
        {
            throw new TimeoutException($"{clientId}: nothing came for {limit}.");
        }
    }

    public void Dispose()
    {
        tcp.Dispose();
        outgoing.Dispose();
    }

    private async Task<int> FillAsync(Memory<byte> buffer) =>
        await stream.ReadAtLeastAsync(buffer, buffer.Length, throwOnEndOfStream: false).AsTask().WaitAsync(limit);

    private void Connect(ConnectOptions options) => Write(0x10, body =>
    {
        Text(body, "MQTT");
        body.WriteByte((byte)(isV5 ? 5 : 4));
        body.WriteByte((byte)((options.CleanStart ? 2 : 0) | (options.Will is null ? 0 : 4 | 1 << 3) | (options.User is null ? 0 : 0xC0)));
        UInt16(body, 0);
        if (isV5) Property(body, 0x11, options.SessionExpiry);
        Text(body, options.ClientId);
        if (options.Will is { } will)
        {
            if (isV5) Property(body, 0x18, options.WillDelay);
            Text(body, will.Topic);
            Text(body, will.Payload);
        }

        if (options.User is not { } user) return;
        Text(body, user.Name);
        Text(body, user.Password);
    });

    private void Write(byte first, Action<MemoryStream> write)
    {
        using var body = new MemoryStream();
        write(body);
        outgoing.WriteByte(first);
        var length = (int)body.Length;
        do
        {
            outgoing.WriteByte((byte)(length % 128 | (length >= 128 ? 128 : 0)));
            length /= 128;
        }
        while (length > 0);
        body.WriteTo(outgoing);
    }

    private static void Property(MemoryStream body, byte identifier, uint value)
    {
        body.WriteByte(5);
        body.WriteByte(identifier);
        UInt16(body, (int)(value >> 16));
        UInt16(body, (int)(value & 0xFFFF));
    }

    private static void UInt16(MemoryStream body, int value)
    {
        body.WriteByte((byte)(value >> 8));
        body.WriteByte((byte)value);
    }

    private static void Text(MemoryStream body, string text)
    {
        var bytes = Encoding.UTF8.GetBytes(text);
        UInt16(body, bytes.Length);
        body.Write(bytes);
    }
}
