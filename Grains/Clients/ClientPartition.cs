using Broker.Grains.Interfaces.Clients;
using Broker.Grains.Interfaces.Metrics;

namespace Broker.Grains.Clients;

/// <summary>Who is connected where, for one partition of the client identifiers. Thread-safe by one lock.</summary>
internal sealed class ClientPartition(BrokerGauges gauges) : ILocalClientRegistry
{
    private readonly Lock gate = new();
    private readonly Dictionary<string, Entry> clients = new(StringComparer.Ordinal);

    /// <summary>Connections that were replaced and have not ended yet. One of them may register once more, when it was found by a recovery or repeats a call
    /// that was lost: if it won then, it and its successor would each wait for the other's end.</summary>
    private readonly HashSet<ClientLocation> replaced = [];
    private int absent;
    private bool closed;

    /// <summary>How many durable sessions are without their client.</summary>
    public int AbsentCount => Volatile.Read(ref absent);

    /// <summary>Whether a client has a durable session and is not connected.</summary>
    public bool IsAbsent(string clientId)
    {
        lock (gate) return clients.TryGetValue(clientId, out var entry) && entry.IsAbsent;
    }

    /// <summary>A durable session that the store knows.</summary>
    public void AddStored(string clientId)
    {
        lock (gate) Set(clientId, default, Stored);
    }

    /// <summary>A connection that a gateway has, while the partition recovers.</summary>
    /// <returns>The connection to close: of two of one client the older one; null if there is just one.</returns>
    public ClientLocation? AddConnected(in ClientRegistration registration)
    {
        lock (gate)
        {
            clients.TryGetValue(registration.ClientId, out var known);
            var isNewer = known.Location is null || known.ConnectedAt < registration.ConnectedAt;
            if (isNewer) Set(registration.ClientId, known, new Entry(registration.Location, known.IsStored, registration.IsDurable, registration.ConnectedAt));
            var older = isNewer ? known.Location : registration.Location;
            if (older is { } loser) replaced.Add(loser);
            return older;
        }
    }

    /// <summary>The gateways that have connections here.</summary>
    public SiloAddress[] Gateways()
    {
        lock (gate) return [.. clients.Values.Select(entry => entry.Location?.Gateway).OfType<SiloAddress>().Distinct()];
    }

    /// <summary>A gateway has gone, and its connections with it.</summary>
    public void Forget(SiloAddress gateway)
    {
        lock (gate)
        {
            foreach (var (clientId, entry) in clients)
            {
                if (gateway.Equals(entry.Location?.Gateway)) Disconnect(clientId, entry);
            }

            replaced.RemoveWhere(location => location.Gateway.Equals(gateway));
        }
    }

    public bool TryRegister(in ClientRegistration registration, out RegisterResult result)
    {
        lock (gate)
        {
            result = default;
            if (closed) return false;
            if (replaced.Contains(registration.Location))
            {
                result = new RegisterResult(null, HasStoredSession: false, IsTakenOver: true);
                return true;
            }

            clients.TryGetValue(registration.ClientId, out var before);
            if (before.Location is { } loser && loser != registration.Location) replaced.Add(loser);
            // Stored until it is forgotten: this connection may end before it has discarded or resumed the session.
            var stored = before.IsStored || before.WillStore;
            result = new RegisterResult(before.Location, stored);
            Set(registration.ClientId, before, new Entry(registration.Location, stored, registration.IsDurable, registration.ConnectedAt));
            return true;
        }
    }

    public bool TryUnregister(string clientId, in ClientLocation location)
    {
        lock (gate)
        {
            if (closed) return false;
            replaced.Remove(location);
            if (clients.TryGetValue(clientId, out var entry) && entry.Location == location) Disconnect(clientId, entry);
            return true;
        }
    }

    /// <inheritdoc cref="IClientRegistryGrain.Find"/>
    public ClientWhereabouts Find(string clientId)
    {
        lock (gate) return clients.TryGetValue(clientId, out var entry) ? new ClientWhereabouts(entry.Location, entry.IsStored || entry.WillStore) : default;
    }

    /// <inheritdoc cref="IClientRegistryGrain.Forget"/>
    public void Forget(string clientId, ClientLocation? endedWith)
    {
        lock (gate)
        {
            if (closed || !clients.TryGetValue(clientId, out var entry)) return;
            Set(clientId, entry, entry with { IsStored = false, WillStore = entry.WillStore && entry.Location != endedWith });
        }
    }

    /// <summary>Ends all direct use.</summary>
    public void Close()
    {
        lock (gate)
        {
            if (closed) return;
            closed = true;
            gauges.Add(Gauge.Sessions, -absent);
        }
    }

    /// <summary>Changes what is known of a client; one that is neither connected nor has a session is forgotten.</summary>
    private void Set(string clientId, in Entry before, in Entry after)
    {
        if (after is { Location: null, IsStored: false }) clients.Remove(clientId);
        else clients[clientId] = after;
        var change = (after.IsAbsent ? 1 : 0) - (before.IsAbsent ? 1 : 0);
        if (change == 0) return;
        absent += change;
        gauges.Add(Gauge.Sessions, change);
    }

    private static Entry Stored => new(null, IsStored: true, WillStore: false, ConnectedAt: 0);

    private void Disconnect(string clientId, in Entry entry) => Set(clientId, entry, entry.IsStored || entry.WillStore ? Stored : default);

    /// <param name="Location">Where the client is connected.</param>
    /// <param name="IsStored">It has a durable session.</param>
    /// <param name="WillStore">Its connection has one or is about to make one.</param>
    /// <param name="ConnectedAt">When it connected, in Unix milliseconds.</param>
    private readonly record struct Entry(ClientLocation? Location, bool IsStored, bool WillStore, long ConnectedAt)
    {
        /// <summary>Its session is counted here; that of a connected client where the client is.</summary>
        public bool IsAbsent => Location is null && IsStored;
    }
}
