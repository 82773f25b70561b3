using System.Net.Sockets;
using Broker.Gateway.Mqtt.Codec.V5;
using Broker.Gateway.Mqtt.Packets;
using Broker.Grains.Interfaces.Messages;
using Xunit;

namespace Broker.Tests.Protocol.Harness;

/// <summary>A client on a real socket that sends exactly what it is told and answers nothing by itself.</summary>
internal sealed class RawClient : IAsyncDisposable
{
    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(10);
    private readonly BrokerHost broker;
    private readonly TcpClient socket;
    private readonly NetworkStream stream;
    private readonly List<ServerPacket> seen = [];
    private readonly byte[] input = new byte[64 * 1024];
    private int inputStart;
    private int inputEnd;
    private ushort lastId;

    private RawClient(BrokerHost broker, TcpClient socket, int level)
    {
        this.broker = broker;
        this.socket = socket;
        stream = socket.GetStream();
        Level = level;
    }

    /// <summary>Protocol level: 3 is 3.1, 4 is 3.1.1, 5 is 5.0.</summary>
    public int Level { get; }

    /// <summary>What the server said to CONNECT, if <see cref="ConnectAsync"/> made this client.</summary>
    public ServerPacket Connack { get; private set; } = null!;

    /// <summary>Opens a connection and sends nothing.</summary>
    public static async Task<RawClient> OpenAsync(BrokerHost broker, int level = 5)
    {
        var socket = new TcpClient { NoDelay = true };
        await socket.ConnectAsync(broker.Address);
        return new RawClient(broker, socket, level);
    }

    /// <summary>Opens a connection, sends CONNECT and expects CONNACK with success.</summary>
    /// <param name="expiry">Session expiry interval in seconds, 5.0 only.</param>
    public static async Task<RawClient> ConnectAsync(
        BrokerHost broker, string clientId, int level = 5, bool cleanStart = true, uint? expiry = null, int keepAlive = 0, WireWill? will = null,
        WireProperties? properties = null)
    {
        var client = await OpenAsync(broker, level);
        if (expiry is { } seconds) (properties ??= new WireProperties()).Add(PropertyId.SessionExpiryInterval, seconds);
        await client.SendAsync(WirePacket.Connect(clientId, level, cleanStart, keepAlive, will, properties: properties));
        client.Connack = await client.ExpectAsync(PacketType.Connack);
        Assert.Equal(ReasonCode.Success, client.Connack.Code);
        return client;
    }

    /// <summary>Sends bytes in one write.</summary>
    public async Task SendAsync(params byte[][] packets) => await stream.WriteAsync(packets.SelectMany(one => one).ToArray());

    /// <summary>The next packet, whatever it is.</summary>
    public async Task<ServerPacket> ReceiveAsync(string expected = "any packet") =>
        await ReadAsync(expected) ?? throw new InvalidOperationException($"Expected {expected}, but the server closed the connection. {Seen()}");

    /// <summary>The next packet; null if the server closed the connection instead.</summary>
    public Task<ServerPacket?> TryReceiveAsync() => ReadAsync("any packet or the end");

    /// <summary>The next packet, which must be of this type.</summary>
    public async Task<ServerPacket> ExpectAsync(PacketType type)
    {
        var packet = await ReceiveAsync(type.ToString().ToUpperInvariant());
        return packet.Type == type ? packet : throw new InvalidOperationException($"Expected {type.ToString().ToUpperInvariant()}. {Seen()}");
    }

    /// <summary>The next packet must be this PUBLISH.</summary>
    public async Task<ServerPacket> ExpectPublishAsync(string topic, string payload, Qos qos = Qos.AtMostOnce)
    {
        var packet = await ExpectAsync(PacketType.Publish);
        Assert.Equal((topic, payload, qos), (packet.Topic, packet.Text, packet.Qos));
        return packet;
    }

    /// <summary>The next packet must be this acknowledgement; its packet identifier and code.</summary>
    public async Task<(int Id, ReasonCode Code)> ExpectAcknowledgementAsync(PacketType type)
    {
        var packet = await ExpectAsync(type);
        return (packet.Id, packet.Code);
    }

    /// <summary>The next packet must be a 5.0 DISCONNECT with this code, and the end of the connection behind it; in 3.x only the end.</summary>
    public async Task<ServerPacket?> ExpectDisconnectAsync(ReasonCode code)
    {
        var packet = Level == 5 ? await ExpectAsync(PacketType.Disconnect) : null;
        if (packet is not null) Assert.Equal(code, packet.Code);
        await ExpectClosedAsync();
        return packet;
    }

    /// <summary>The server must close the connection and send nothing before; on return it is done with it.</summary>
    public async Task ExpectClosedAsync()
    {
        if (await ReadAsync("the end of the connection") is { } packet) throw new InvalidOperationException($"Expected the end of the connection, got {packet}. {Seen()}");
        await broker.SettleAsync();
    }

    /// <summary>The server must have nothing to send: PINGRESP is the next packet.</summary>
    public async Task ExpectNothingAsync()
    {
        await SendAsync(WirePacket.Pingreq);
        await ExpectAsync(PacketType.Pingresp);
        if (!broker.IsRemote) return;
        // All that this client and others have sent has been taken; what it leads to arrives before the second answer.
        await broker.QuietAsync();
        await SendAsync(WirePacket.Pingreq);
        await ExpectAsync(PacketType.Pingresp);
    }

    /// <summary>All that the server has to send, with QoS 1 acknowledged on the way; their payloads.</summary>
    public async Task<List<string>> DrainAsync()
    {
        var all = new List<string>();
        for (var calm = 0; calm < 2; calm++)
        {
            await broker.QuietAsync();
            await SendAsync(WirePacket.Pingreq);
            for (ServerPacket got; (got = await ReceiveAsync()).Type == PacketType.Publish;)
            {
                calm = -1;
                all.Add(got.Text);
                if (got.Qos == Qos.AtLeastOnce) await SendAsync(WirePacket.Puback(got.Id));
            }
        }

        return all;
    }

    /// <summary>Subscribes and expects the granted QoS.</summary>
    public async Task<ServerPacket> SubscribeAsync(string filter, Qos qos = Qos.AtMostOnce, int options = 0, int? identifier = null)
    {
        var properties = identifier is { } number ? new WireProperties().Add(PropertyId.SubscriptionIdentifier, number) : null;
        await SendAsync(WirePacket.Subscribe(++lastId, filter, qos, options, Level, properties));
        var suback = await ExpectAsync(PacketType.Suback);
        Assert.Equal((lastId, (ReasonCode)qos), (suback.Id, suback.Code));
        return suback;
    }

    /// <summary>Publishes at QoS 1 and awaits PUBACK, or with QoS 2 PUBREC and PUBCOMP, or sends QoS 0.</summary>
    public async Task PublishAsync(string topic, string payload, Qos qos = Qos.AtLeastOnce, bool retain = false, WireProperties? properties = null)
    {
        var id = qos == Qos.AtMostOnce ? (ushort)0 : ++lastId;
        await SendAsync(WirePacket.Publish(topic, payload, qos, id, retain, level: Level, properties: properties));
        if (qos == Qos.AtMostOnce) return;
        Assert.Equal(id, (await ExpectAsync(qos == Qos.AtLeastOnce ? PacketType.Puback : PacketType.Pubrec)).Id);
        if (qos == Qos.AtLeastOnce) return;
        await SendAsync(WirePacket.Pubrel(id));
        Assert.Equal(id, (await ExpectAsync(PacketType.Pubcomp)).Id);
    }

    /// <summary>Sends DISCONNECT and awaits the end of the connection.</summary>
    public async Task DisconnectAsync(ReasonCode code = ReasonCode.Success, WireProperties? properties = null)
    {
        await SendAsync(WirePacket.Disconnect(code, properties));
        await ExpectClosedAsync();
    }

    /// <summary>Cuts the connection without DISCONNECT.</summary>
    public void Drop() => socket.Close();

    public ValueTask DisposeAsync()
    {
        socket.Dispose();
        return ValueTask.CompletedTask;
    }

    private async Task<ServerPacket?> ReadAsync(string expected)
    {
        using var deadline = new CancellationTokenSource(Deadline);
        try
        {
            if (await ReadByteAsync(deadline.Token) is not { } first) return null;
            var length = 0;
            for (var shift = 0; ; shift += 7)
            {
                var one = await ReadByteAsync(deadline.Token) ?? throw new InvalidOperationException($"The connection ended within a packet. {Seen()}");
                length |= (one & 0x7F) << shift;
                if (one < 0x80) break;
            }

            var body = new byte[length];
            for (var at = 0; at < length;)
            {
                if (!await FillAsync(deadline.Token)) throw new InvalidOperationException($"The connection ended within a packet. {Seen()}");
                var part = Math.Min(length - at, inputEnd - inputStart);
                input.AsSpan(inputStart, part).CopyTo(body.AsSpan(at));
                at += part;
                inputStart += part;
            }

            var packet = ServerPacket.Parse(first, body, Level);
            seen.Add(packet);
            return packet;
        }
        catch (OperationCanceledException)
        {
            throw new TimeoutException($"Expected {expected} within {Deadline.TotalSeconds} s. {Seen()}");
        }
        catch (IOException)
        {
            return null; // reset by the server: what was not read is gone
        }
    }

    private async ValueTask<byte?> ReadByteAsync(CancellationToken cancellation) => await FillAsync(cancellation) ? input[inputStart++] : null;

    /// <summary>Reads if there is nothing; false at the end of the connection.</summary>
    private async ValueTask<bool> FillAsync(CancellationToken cancellation)
    {
        if (inputStart < inputEnd) return true;
        inputEnd = await stream.ReadAsync(input, cancellation);
        inputStart = 0;
        return inputEnd > 0;
    }

    private string Seen() => seen.Count == 0 ? "Seen nothing." : $"Seen, last {Math.Min(seen.Count, 10)} of {seen.Count}: {string.Join("; ", seen.TakeLast(10))}.";
}
