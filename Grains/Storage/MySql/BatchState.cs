using Broker.Grains.Storage.Writes;

namespace Broker.Grains.Storage.MySql;

/// <summary>What was read, and locked, of the sessions of a batch before the first write. Writer thread.</summary>
internal sealed class BatchState
{
    /// <summary>Sessions the batch writes, by key; absent ones are not in it.</summary>
    public Dictionary<long, long> Epochs { get; } = [];

    /// <summary>Sessions the batch opens, by client identifier; absent ones are not in it.</summary>
    public Dictionary<string, long> Clients { get; } = new(StringComparer.Ordinal);

    public void Clear()
    {
        Epochs.Clear();
        Clients.Clear();
    }

    /// <summary>What a batch must read: the keys it writes and the clients it opens.</summary>
    public static (HashSet<long> Keys, HashSet<string> Clients) Subjects(IReadOnlyList<StoreWrite> batch)
    {
        HashSet<long> keys = [];
        HashSet<string> clients = new(StringComparer.Ordinal);
        foreach (var write in batch)
        {
            if (write is WriteGroup group)
            {
                foreach (var member in group.Members) Visit(member);
            }
            else
            {
                Visit(write);
            }
        }

        return (keys, clients);

        void Visit(StoreWrite write)
        {
            if (write is SessionWrite owned) keys.Add(owned.Lease.Key);
            else if (write is OpenSession open) clients.Add(open.ClientId);
        }
    }
}
