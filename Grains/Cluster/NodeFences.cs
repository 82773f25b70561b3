using System.Collections.Concurrent;
using Broker.Grains.Storage;

namespace Broker.Grains.Cluster;

/// <summary>Fences processes that were declared dead in the store, before anything that they owned comes up here (design, section 3).</summary>
internal sealed class NodeFences(IClusterMembershipService membership, BrokerStore store)
{
    private readonly ConcurrentDictionary<SiloAddress, Task> fences = new();
    private long ensured = -1;

    /// <summary>Completes when every process that membership knows to be dead is fenced: it stores nothing more.</summary>
    /// <exception cref="StoreException">One could not be fenced.</exception>
    public async Task EnsureAsync()
    {
        var snapshot = membership.CurrentSnapshot;
        if (Volatile.Read(ref ensured) == snapshot.Version.Value) return;
        await Task.WhenAll(snapshot.Members.Values.Where(member => member.Status == SiloStatus.Dead).Select(member => FenceAsync(member.SiloAddress)));
        Volatile.Write(ref ensured, snapshot.Version.Value);
    }

    /// <summary>Fences one process.</summary>
    /// <exception cref="StoreException">It could not be fenced; the next call tries again.</exception>
    public async Task FenceAsync(SiloAddress silo)
    {
        try
        {
            await fences.GetOrAdd(silo, dead => store.FenceAsync(NameOf(dead)));
        }
        catch
        {
            fences.TryRemove(silo, out _);
            throw;
        }
    }

    /// <summary>A process's name in the store.</summary>
    public static string NameOf(SiloAddress silo) => silo.ToParsableString();
}
