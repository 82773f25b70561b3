using Broker.Grains.Interfaces.Clients;

namespace Broker.Grains.Clients;

/// <summary>Who is connected where, for one partition of the client identifiers. Thread-safe by one lock.</summary>
internal sealed class ClientPartition : ILocalClientRegistry
{
    private readonly Lock gate = new();
    private readonly Dictionary<string, Entry> clients = new(StringComparer.Ordinal);
    private bool closed;

    /// <summary>A durable session that the store knows.</summary>
    public void AddStored(string clientId)
    {
        lock (gate) clients[clientId] = new Entry(null, IsStored: true, WillStore: false);
    }

    public bool TryRegister(in ClientRegistration registration, out RegisterResult result)
    {
        lock (gate)
        {
            result = default;
            if (closed) return false;
            clients.TryGetValue(registration.ClientId, out var before);
            // Stored until it is forgotten: this connection may end before it has discarded or resumed the session.
            var stored = before.IsStored || before.WillStore;
            result = new RegisterResult(before.Location, stored);
            clients[registration.ClientId] = new Entry(registration.Location, stored, registration.IsDurable);
            return true;
        }
    }

    public bool TryUnregister(string clientId, in ClientLocation location)
    {
        lock (gate)
        {
            if (closed) return false;
            if (!clients.TryGetValue(clientId, out var entry) || entry.Location != location) return true;
            if (entry.IsStored || entry.WillStore) clients[clientId] = new Entry(null, IsStored: true, WillStore: false);
            else clients.Remove(clientId);
            return true;
        }
    }

    /// <inheritdoc cref="IClientRegistryGrain.Forget"/>
    public void Forget(string clientId, ClientLocation? endedWith)
    {
        lock (gate)
        {
            if (!clients.TryGetValue(clientId, out var entry)) return;
            if (entry.Location is null) clients.Remove(clientId);
            else clients[clientId] = entry with { IsStored = false, WillStore = entry.WillStore && entry.Location != endedWith };
        }
    }

    /// <summary>Ends all direct use.</summary>
    public void Close()
    {
        lock (gate) closed = true;
    }

    /// <param name="Location">Where the client is connected.</param>
    /// <param name="IsStored">It has a durable session.</param>
    /// <param name="WillStore">Its connection has one or is about to make one.</param>
    private readonly record struct Entry(ClientLocation? Location, bool IsStored, bool WillStore);
}
