using System.Collections.Concurrent;
using Orleans.GrainDirectory;

namespace Broker.Grains.Cluster;

/// <summary>The <see cref="ClusterDirectory"/> of a process that is alone: a table. The distributed one takes a quarter off the rate at which new sessions open.</summary>
internal sealed class ProcessDirectory : IGrainDirectory
{
    private readonly ConcurrentDictionary<GrainId, GrainAddress> all = new();

    public Task<GrainAddress?> Register(GrainAddress address) => Register(address, null);

    public Task<GrainAddress?> Register(GrainAddress address, GrainAddress? previousAddress) => Task.FromResult<GrainAddress?>(
        all.AddOrUpdate(address.GrainId, address, (_, held) => previousAddress is not null && held.Matches(previousAddress) ? address : held));

    public Task Unregister(GrainAddress address)
    {
        if (all.TryGetValue(address.GrainId, out var held) && held.Matches(address)) all.TryRemove(new(address.GrainId, held));
        return Task.CompletedTask;
    }

    public Task<GrainAddress?> Lookup(GrainId grainId) => Task.FromResult(all.GetValueOrDefault(grainId));

    /// <summary>There are no others.</summary>
    public Task UnregisterSilos(List<SiloAddress> siloAddresses) => Task.CompletedTask;
}
