using System.Net;
using Broker.Gateway.Security;
using Broker.Grains.Interfaces.Messages;
using Microsoft.Extensions.Options;

namespace Broker.Gateway.History;

/// <summary>The last events of the clients that had one last, in this process: always on, and bounded.</summary>
/// <remarks>Thread-safe. Who had no event for longest makes room: somebody who tries random client identifiers costs the history of others, but no memory.</remarks>
internal sealed class FlightRecorder : IClientObserver
{
    /// <summary>So that event loops seldom wait for each other.</summary>
    private const int Parts = 16;

    private readonly Part[] parts;
    private readonly TimeProvider time;

    public FlightRecorder(IOptions<HistoryOptions> history, TimeProvider time)
    {
        this.time = time;
        var options = history.Value;
        // A small one is whole, so that its bound is exact.
        var count = options.Clients < 100 * Parts ? Math.Min(1, options.Clients) : Parts;
        parts = [.. Enumerable.Range(0, count).Select(_ => new Part(options.Clients / count, options.Length))];
    }

    public void Add(string clientId, ClientEvent one)
    {
        if (parts.Length == 0) return;
        var now = time.GetUtcNow();
        PartOf(clientId).Add(clientId, one with { At = now });
    }

    /// <summary>A client does not get a message. Where that happens it happens often, so a repetition makes no garbage.</summary>
    public void AddDropped(string clientId, string topic, string reason)
    {
        if (!Repeat(clientId, ClientEventKind.Dropped, topic, reason)) Add(clientId, new ClientEvent(ClientEventKind.Dropped) { Topic = topic, Reason = reason });
    }

    /// <summary>Something has happened to a client once more.</summary>
    /// <returns>False if something else was the last that happened to it: then it is not noted.</returns>
    public bool Repeat(string clientId, ClientEventKind kind, string topic, string? reason = null) =>
        parts.Length == 0 || PartOf(clientId).Repeat(clientId, kind, topic, reason, time.GetUtcNow());

    /// <summary>The last events of a client, the oldest first.</summary>
    public ClientEvent[] Of(string clientId) => parts.Length == 0 ? [] : PartOf(clientId).Of(clientId);

    public void Connected(ClientInfo client) => Add(client.ClientId, new ClientEvent(ClientEventKind.Connected) { Peer = Describe(client) });

    /// <inheritdoc/>
    /// <remarks>Whoever refuses knows more of it and says so itself.</remarks>
    public void Refused(ClientInfo client, ReasonCode code, string reason)
    {
        // Nothing to add.
    }

    public void Disconnected(ClientInfo client, string reason) => Add(client.ClientId, new ClientEvent(ClientEventKind.Disconnected) { Reason = reason });

    private static string Describe(ClientInfo client) =>
        $"{(client.RemoteAddress is IPEndPoint { Address: var address } from ? new IPEndPoint(address.IsIPv4MappedToIPv6 ? address.MapToIPv4() : address, from.Port) : client.RemoteAddress)}, listener {client.Listener}, MQTT level {(int)client.Version}";

    private Part PartOf(string clientId) => parts[(int)((uint)clientId.GetHashCode(StringComparison.Ordinal) % (uint)parts.Length)];

    private sealed class Part(int clients, int length)
    {
        private readonly Lock gate = new();
        private readonly Dictionary<string, LinkedListNode<History>> byId = new(StringComparer.Ordinal);

        /// <summary>By their last event, the longest ago first.</summary>
        private readonly LinkedList<History> byAge = [];

        private sealed record History(string ClientId, List<ClientEvent> Events);

        public void Add(string clientId, ClientEvent one)
        {
            lock (gate)
            {
                if (byId.TryGetValue(clientId, out var node)) byAge.Remove(node);
                else node = MakeRoomFor(clientId);
                byAge.AddLast(node);
                var events = node.Value.Events;
                if (events.Count > 0 && events[^1].IsLike(one))
                {
                    events[^1].Repeat(one.At);
                    return;
                }

                if (events.Count >= length) events.RemoveAt(0);
                events.Add(one);
            }
        }

        /// <returns>False if the last event was another one.</returns>
        public bool Repeat(string clientId, ClientEventKind kind, string topic, string? reason, DateTimeOffset now)
        {
            lock (gate)
            {
                if (!byId.TryGetValue(clientId, out var node) || node.Value.Events is not [.., var last] || last.Kind != kind || last.Reason != reason || last.Topic != topic) return false;
                last.Repeat(now);
                return true;
            }
        }

        public ClientEvent[] Of(string clientId)
        {
            lock (gate) return byId.TryGetValue(clientId, out var node) ? [.. node.Value.Events.Select(one => one with { })] : [];
        }

        private LinkedListNode<History> MakeRoomFor(string clientId)
        {
            if (byId.Count >= clients)
            {
                byId.Remove(byAge.First!.Value.ClientId);
                byAge.RemoveFirst();
            }

            return byId[clientId] = new LinkedListNode<History>(new History(clientId, new List<ClientEvent>(2)));
        }
    }
}
