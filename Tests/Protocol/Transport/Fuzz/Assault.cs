using System.Net.Sockets;
using System.Net.WebSockets;
using Xunit;

namespace Broker.Tests.Protocol.Transport.Fuzz;

/// <summary>How an attacker leaves.</summary>
internal enum Ending
{
    /// <summary>Sends its FIN and reads to the end.</summary>
    Finish,

    /// <summary>Resets the connection.</summary>
    Reset,
}

/// <summary>One connection and the bytes that are sent on it.</summary>
/// <param name="What">What they are, for the failure's message: enough to make them again.</param>
internal sealed record Assault(Entrance Entrance, string What, byte[] Bytes, Ending Ending = Ending.Finish)
{
    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(20);

    /// <summary>Whether this is how a client notices that the broker has closed.</summary>
    public static bool IsEnd(Exception fault) => fault is IOException or SocketException or ObjectDisposedException or WebSocketException or InvalidOperationException;

    /// <summary>A number of them; each seed makes the same bytes again.</summary>
    public static async Task<Assault[]> RandomAsync(Entrance entrance, int count)
    {
        var valid = await HostileBytes.ValidAsync(entrance.Imitated);
        return [.. Enumerable.Range(0, count).Select(seed =>
        {
            var (random, one) = (new Random(seed), valid[seed / 2 % valid.Length]);
            var bytes = seed % 2 == 0 ? HostileBytes.Mutilated(one, random) : HostileBytes.Random(one, random);
            return new Assault(entrance, $"seed {seed}", bytes, random.Next(4) == 0 ? Ending.Reset : Ending.Finish);
        })];
    }

    /// <summary>Valid bytes that end too early: behind every byte, and behind every seventh from the 400th on.</summary>
    public static async Task<Assault[]> CutAsync(Entrance entrance)
    {
        var valid = await HostileBytes.ValidAsync(entrance.Imitated);
        // All versions of MQTT where nothing is in front of it; one where each cut takes a handshake.
        if (entrance.Layers.Length > 0) valid = valid[^(entrance.IsInsideTls ? 1 : Math.Min(2, valid.Length))..];
        return [.. valid.SelectMany((one, which) => Enumerable.Range(1, one.Length)
            .Where(at => (at < 400 || at % 7 == 0) && !valid.Take(which).Any(earlier => earlier.AsSpan().StartsWith(one.AsSpan(0, at))))
            .Select(at => new Assault(entrance, $"valid bytes {which} up to {at}", one[..at], at % 3 == 0 ? Ending.Reset : Ending.Finish)))];
    }

    /// <summary>Does it; fails if the broker neither reads nor closes.</summary>
    public async Task RunAsync(EveryListener broker)
    {
        try
        {
            await using var peer = await BeginAsync(broker);
            if (Ending == Ending.Reset) peer.Reset();
            else await peer.FinishAsync(politely: Bytes.Length % 2 == 0);
        }
        catch (TimeoutException)
        {
            Assert.Fail($"{this}: the broker neither reads nor closes");
        }
        catch (Exception fault) when (IsEnd(fault))
        {
            // The broker has closed.
        }
    }

    /// <summary>Sends the bytes and stays.</summary>
    public async Task<ListenerPeer> BeginAsync(EveryListener broker)
    {
        ListenerPeer peer;
        try
        {
            peer = await ListenerPeer.OpenAsync(broker, Entrance.Listener, Entrance.Spoken);
        }
        catch (Exception fault)
        {
            throw new InvalidDataException($"{this}: refused before anything was wrong", fault);
        }

        try
        {
            await peer.Stream.WriteAsync(Bytes).AsTask().WaitAsync(Deadline);
        }
        catch (Exception fault) when (IsEnd(fault))
        {
            // Closed meanwhile; whoever reads finds out.
        }

        return peer;
    }

    public override string ToString() => $"{Entrance}, {What}";
}
