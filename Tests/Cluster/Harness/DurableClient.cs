using System.Collections.Concurrent;
using System.Globalization;

namespace Broker.Tests.Cluster.Harness;

/// <summary>A message as a subscriber took it, after the rules of its QoS.</summary>
internal readonly record struct Taken(string Topic, int Number, int Qos);

/// <summary>A 3.1.1 client with clean session 0 that keeps its half of the session over connections, as the standard wants it: it sends again what was
/// not acknowledged under the same identifier with DUP, remembers PUBRELs owed and QoS 2 identifiers received. It lives through the broker's deaths, and
/// goes to the next node when its own is gone, refuses it or is silent.</summary>
/// <remarks>One task, <see cref="RunAsync"/>, does everything. Payloads are the message's number on its topic, from 1.</remarks>
/// <param name="nodes">The processes it may connect to, one after the other.</param>
internal sealed class DurableClient(IReadOnlyList<BrokerProcess> nodes, string clientId, string? publishTo = null, int publishQos = 0)
{
    private const int Window = 20;
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(50);

    /// <summary>What is unacknowledged, in order of sending.</summary>
    private readonly LinkedList<Outgoing> unacknowledged = [];

    /// <summary>QoS 2 identifiers received and not yet released.</summary>
    private readonly HashSet<ushort> received = [];
    private readonly ConcurrentQueue<Taken> taken = new();
    private readonly ConcurrentDictionary<string, int> last = new();
    private readonly TaskCompletionSource finished = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private volatile bool ending;
    private volatile int wanted = -1;
    private int at;
    private bool hasSession;
    private int lastNumber;
    private ushort lastIdentifier;
    private int acknowledged;

    private sealed record Outgoing(int Number, ushort Identifier)
    {
        public bool IsReleased { get; set; }
    }

    public DurableClient(BrokerProcess broker, string clientId, string? publishTo = null, int publishQos = 0)
        : this([broker], clientId, publishTo, publishQos)
    {
    }

    public string ClientId => clientId;

    public string? Topic => publishTo;

    public int Qos => publishQos;

    /// <summary>The node it connects to first.</summary>
    public int Home { init => at = value; }

    /// <summary>How long its node may be silent before it goes to the next one.</summary>
    public TimeSpan Patience { get; init; } = TimeSpan.FromSeconds(20);

    /// <summary>How long it takes over each packet: several nodes and their clients share the machine's processors.</summary>
    public TimeSpan Pace { get; init; }

    /// <summary>The node it is connected to, or was last.</summary>
    public int Node => at;

    /// <summary>QoS 2 messages that came again before they were released, on all connections.</summary>
    public int Repeated { get; private set; }

    /// <summary>QoS 2 messages it has and that wait for their release.</summary>
    public int Unreleased => received.Count;

    /// <summary>What kept it from its session last: for messages.</summary>
    public string LastFault { get; private set; } = "";

    /// <summary>Messages numbered so far.</summary>
    public int Published => Volatile.Read(ref lastNumber);

    /// <summary>Messages for which the broker took responsibility: PUBACK or PUBREC.</summary>
    public int Acknowledged => Volatile.Read(ref acknowledged);

    /// <summary>How often it had to connect.</summary>
    public int Connects { get; private set; }

    /// <summary>What it took, in order.</summary>
    public IReadOnlyCollection<Taken> Received => taken;

    /// <summary>The highest number it took of a topic.</summary>
    public int LastOf(string topic) => last.GetValueOrDefault(topic);

    /// <summary>Completes when all that was published is acknowledged, after <see cref="StopPublishing"/>.</summary>
    public Task Finished => finished.Task;

    /// <summary>Makes it connect to another node while it is still connected, at the next packet it gets.</summary>
    public void HopTo(int node) => wanted = node;

    /// <summary>Numbers no more messages.</summary>
    public void StopPublishing() => ending = true;

    /// <summary>Makes the subscription that <see cref="RunAsync"/> counts on, over a connection of its own.</summary>
    public static async Task SubscribeAsync(BrokerProcess broker, string clientId, string filter, int qos)
    {
        using var client = await WireClient.ConnectAsync(await broker.Ready, new ConnectOptions(clientId));
        await client.SubscribeAsync(filter, qos);
        await client.DisconnectAsync();
    }

    /// <summary>Completes when it has taken so many messages.</summary>
    public async Task TakenAsync(int count)
    {
        while (taken.Count < count) await Task.Delay(10);
    }

    /// <summary>Connects, resumes, publishes and takes, again and again, until cancelled.</summary>
    public async Task RunAsync(CancellationToken stop)
    {
        WireClient? current = null;
        await using var closing = stop.Register(() => Volatile.Read(ref current)?.Dispose());
        try
        {
            while (!stop.IsCancellationRequested)
            {
                var port = await PortAsync(stop);
                try
                {
                    // The older connection is left to the broker to close, if there is one: that is a takeover.
                    using var older = current;
                    Volatile.Write(ref current, await WireClient.OpenAsync(port, new ConnectOptions(clientId) { Patience = Patience }));
                    if (stop.IsCancellationRequested) break;
                    if (IsRefused(current)) await MoveOnAsync($"refused with {current.Connack.Code}", stop);
                    else if (await ServeAsync(current)) continue;
                    else await MoveOnAsync("closed", stop);
                }
                catch (Exception gone) when (gone is IOException or ObjectDisposedException || (gone is TimeoutException && nodes.Count > 1))
                {
                    // The broker died, or this client is to end.
                    await MoveOnAsync(gone.Message, stop);
                }

                current?.Dispose();
                current = null;
            }
        }
        catch (OperationCanceledException)
        {
        }
        catch (Exception error)
        {
            finished.TrySetException(error);
            throw;
        }
        finally
        {
            current?.Dispose();
        }
    }

    /// <summary>The port of its node, or of the next one that is up.</summary>
    private async Task<int> PortAsync(CancellationToken stop)
    {
        while (true)
        {
            for (var tried = 0; tried < nodes.Count; tried++, at = (at + 1) % nodes.Count)
            {
                if (nodes[at].Ready is { IsCompletedSuccessfully: true } ready) return await ready;
            }

            await Task.WhenAny(nodes.Select(node => node.Ready)).WaitAsync(stop);
        }
    }

    private async Task MoveOnAsync(string fault, CancellationToken stop)
    {
        LastFault = $"node {at}: {fault}";
        if (nodes.Count == 1) return;
        at = (at + 1) % nodes.Count;
        await Task.Delay(Pause, stop);
    }

    /// <summary>A cluster that reorganises itself may refuse for a while; a broker that is alone never.</summary>
    private bool IsRefused(WireClient connection)
    {
        if (connection.Connack.Code != 0)
        {
            return nodes.Count > 1 ? true : throw new InvalidOperationException($"{clientId} was refused with {connection.Connack.Code}");
        }

        if (hasSession && !connection.Connack.SessionPresent) throw new InvalidOperationException($"{clientId}: the session is lost");
        hasSession = true;
        return false;
    }

    /// <returns>True if it is to go on elsewhere while this connection is still open.</returns>
    private async Task<bool> ServeAsync(WireClient connection)
    {
        Connects++;
        foreach (var old in unacknowledged) Send(connection, old, dup: true);
        Fill(connection);
        await connection.FlushAsync();
        while (await connection.ReadAsync() is { } packet)
        {
            if (Pace > TimeSpan.Zero) await Task.Delay(Pace);
            Handle(connection, packet);
            Fill(connection);
            await connection.FlushAsync();
            if (wanted < 0) continue;
            (at, wanted) = (wanted, -1);
            return true;
        }

        return false;
    }

    private void Handle(WireClient connection, WirePacket packet)
    {
        switch (packet.Type)
        {
            case WirePacket.Publish:
                Take(connection, packet);
                break;
            case WirePacket.Pubrel:
                received.Remove(packet.Identifier);
                connection.Acknowledge(WirePacket.Pubcomp, packet.Identifier);
                break;
            case WirePacket.Pubrec:
                // A repeated one is answered again.
                if (Find(packet.Identifier) is { IsReleased: false } recorded)
                {
                    recorded.IsReleased = true;
                    Interlocked.Increment(ref acknowledged);
                }

                connection.Acknowledge(WirePacket.Pubrel, packet.Identifier);
                break;
            case WirePacket.Puback:
            case WirePacket.Pubcomp:
                if (Find(packet.Identifier) is not { } done) break;
                if (packet.Type == WirePacket.Puback) Interlocked.Increment(ref acknowledged);
                unacknowledged.Remove(done);
                break;
        }
    }

    private void Take(WireClient connection, WirePacket packet)
    {
        if (packet.Qos < 2 || received.Add(packet.Identifier))
        {
            var one = new Taken(packet.Topic, int.Parse(packet.Payload, CultureInfo.InvariantCulture), packet.Qos);
            taken.Enqueue(one);
            last[one.Topic] = Math.Max(LastOf(one.Topic), one.Number);
        }
        else
        {
            Repeated++;
        }

        if (packet.Qos > 0) connection.Acknowledge(packet.Qos == 1 ? WirePacket.Puback : WirePacket.Pubrec, packet.Identifier);
    }

    private Outgoing? Find(ushort identifier) => unacknowledged.FirstOrDefault(one => one.Identifier == identifier);

    private void Fill(WireClient connection)
    {
        if (publishTo is null) return;
        while (!ending && unacknowledged.Count < Window)
        {
            do lastIdentifier = (ushort)(lastIdentifier % ushort.MaxValue + 1);
            while (Find(lastIdentifier) is not null);
            var next = new Outgoing(lastNumber + 1, lastIdentifier);
            Volatile.Write(ref lastNumber, next.Number);
            unacknowledged.AddLast(next);
            Send(connection, next, dup: false);
        }

        if (ending && unacknowledged.Count == 0) finished.TrySetResult();
    }

    private void Send(WireClient connection, Outgoing message, bool dup)
    {
        if (message.IsReleased) connection.Acknowledge(WirePacket.Pubrel, message.Identifier);
        else connection.Publish(publishTo!, message.Number.ToString(CultureInfo.InvariantCulture), publishQos, message.Identifier, dup);
    }
}
