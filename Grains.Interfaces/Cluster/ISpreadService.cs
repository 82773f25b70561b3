using Orleans.Services;

namespace Broker.Grains.Interfaces.Cluster;

/// <summary>Says which numbered grains a process holds: one in each process, addressed by its silo address.</summary>
[Alias("ISpreadService")]
public interface ISpreadService : IGrainService
{
    /// <summary>What is active here.</summary>
    [Alias("Held")]
    Task<HeldGrains> Held();
}

/// <summary>The numbered grains that are active in one process.</summary>
/// <param name="HostsGrains">False for a pure front end, which takes none.</param>
/// <param name="Shards">Numbers of topic shards.</param>
/// <param name="Retained">Numbers of retained partitions.</param>
/// <param name="Clients">Numbers of client registry partitions.</param>
[GenerateSerializer, Immutable, Alias("HeldGrains")]
public sealed record HeldGrains(
    [property: Id(0)] bool HostsGrains, [property: Id(1)] int[] Shards, [property: Id(2)] int[] Retained, [property: Id(3)] int[] Clients)
{
    /// <summary>Numbers of partitions of delayed messages; null in an answer of a version that has none.</summary>
    [Id(4)]
    public int[]? Delayed { get; init; }
}

/// <summary>Reaches the spread service of any process.</summary>
public interface ISpreadClient
{
    /// <summary>The service of the process at an address.</summary>
    ISpreadService At(SiloAddress silo);
}
