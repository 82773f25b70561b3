using System.Collections.Concurrent;

namespace Broker.Gateway.Mqtt;

/// <summary>All connections of this process by number. Thread-safe.</summary>
internal sealed class ConnectionTable
{
    private readonly ConcurrentDictionary<ulong, Connection> all = new();

    /// <summary>Numbers do not come again when the process starts again, nor in another: stored wills are told apart by them.</summary>
    private ulong lastNumber = (ulong)Random.Shared.NextInt64(long.MaxValue / 2);

    /// <summary>How many there are.</summary>
    public int Count => all.Count;

    /// <summary>A number no other connection has or had.</summary>
    public ulong NextNumber() => Interlocked.Increment(ref lastNumber);

    public void Add(Connection connection)
    {
        all[connection.Number] = connection;
        connection.Peer.Listener.Opened();
    }

    public void Remove(Connection connection)
    {
        if (all.TryRemove(connection.Number, out _)) connection.Peer.Listener.Closed();
    }

    public Connection? Find(ulong number) => all.GetValueOrDefault(number);

    /// <summary>All of them, as of about now.</summary>
    public IEnumerable<Connection> Enumerate() => all.Select(pair => pair.Value);
}
