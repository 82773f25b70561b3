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
        lock (gate) clients[clientId] = new Entry(null, IsStored: true);
    }

    public bool TryRegister(in ClientRegistration registration, out RegisterResult result)
    {
        lock (gate)
        {
            result = default;
            if (closed) return false;
            clients.TryGetValue(registration.ClientId, out var before);
            result = new RegisterResult(before.Location, before.IsStored);
            clients[registration.ClientId] = new Entry(registration.Location, registration.IsDurable);
            return true;
        }
    }

    public bool TryUnregister(string clientId, in ClientLocation location)
    {
        lock (gate)
        {
            if (closed) return false;
            if (!clients.TryGetValue(clientId, out var entry) || entry.Location != location) return true;
            if (entry.IsStored) clients[clientId] = entry with { Location = null };
            else clients.Remove(clientId);
            return true;
        }
    }

    /// <summary>A durable session has ended for good.</summary>
    public void Forget(string clientId)
    {
        lock (gate)
        {
            if (!clients.TryGetValue(clientId, out var entry)) return;
            if (entry.Location is null) clients.Remove(clientId);
            else clients[clientId] = entry with { IsStored = false };
        }
    }

    /// <summary>Ends all direct use.</summary>
    public void Close()
    {
        lock (gate) closed = true;
    }

    private readonly record struct Entry(ClientLocation? Location, bool IsStored);
}
