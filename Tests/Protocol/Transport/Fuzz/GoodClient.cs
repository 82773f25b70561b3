using System.Text;
using Broker.Tests.Protocol.Harness;
using Xunit;

namespace Broker.Tests.Protocol.Transport.Fuzz;

/// <summary>A client that does everything right, behind all layers of a listener.</summary>
internal sealed class GoodClient : IAsyncDisposable
{
    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(20);
    private readonly ListenerPeer peer;
    private readonly byte[] message;

    private GoodClient(ListenerPeer peer, string clientId) => (this.peer, message) = (peer, WirePacket.Publish("round/" + clientId, "trip", level: 4));

    /// <summary>How many bytes it has sent, with all layers.</summary>
    public int Sent => peer.Sent;

    /// <summary>Connects, and subscribes to its own topic.</summary>
    /// <param name="meddling">What happens to its bytes on their way.</param>
    public static async Task<GoodClient> ConnectAsync(EveryListener broker, Entrance entrance, string clientId, Meddling meddling = default)
    {
        var client = new GoodClient(await ListenerPeer.OpenAsync(broker, entrance.Listener, entrance.Layers, meddling), clientId);
        try
        {
            await client.SendAsync(WirePacket.Connect(clientId, 4));
            await client.ExpectAsync([0x20, 2, 0, 0]);
            await client.SendAsync(WirePacket.Subscribe(1, "round/" + clientId, level: 4));
            await client.ExpectAsync([0x90, 3, 0, 1, 0]);
            return client;
        }
        catch
        {
            await client.DisposeAsync();
            throw;
        }
    }

    /// <summary>Publishes to its topic and expects the message back.</summary>
    public async Task RoundTripAsync()
    {
        await SendAsync(message);
        await ExpectAsync(message);
    }

    public ValueTask DisposeAsync() => peer.DisposeAsync();

    private Task SendAsync(byte[] packet) => peer.Stream.WriteAsync(packet).AsTask().WaitAsync(Deadline);

    private async Task ExpectAsync(byte[] packet)
    {
        var got = new byte[packet.Length];
        await peer.Stream.ReadExactlyAsync(got).AsTask().WaitAsync(Deadline);
        Assert.True(packet.AsSpan().SequenceEqual(got), $"expected {Encoding.Latin1.GetString(packet)}, got {Encoding.Latin1.GetString(got)}");
    }
}
