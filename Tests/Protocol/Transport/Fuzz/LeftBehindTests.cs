using Broker.Tests.Protocol.Harness;
using Xunit;

namespace Broker.Tests.Protocol.Transport.Fuzz;

/// <summary>What attacks leave in this process when they are over: as much memory and as many descriptors after the second time as after the first.</summary>
/// <remarks>Not beside other tests, which use both.</remarks>
[Collection(Alone)]
[CollectionDefinition(Alone, DisableParallelization = true)]
public sealed class LeftBehindTests
{
    private const string Alone = "alone in the process";
    private const int Seeds = 40;

    /// <summary>A kilobyte for each of the connections that one attack makes.</summary>
    private static readonly long MemoryTolerance = 1024L * Seeds * Entrance.All.Count;

    /// <summary>The thread pool and the store may open some.</summary>
    private const int DescriptorTolerance = 8;

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task NothingIsLeft_WhenAttacksAreRepeated(bool portable)
    {
        await using var broker = portable ? new PortableEveryListener() : new EveryListener();
        await broker.InitializeAsync();
        await broker.SettleResidentsAsync();
        // The first fills pools and caches; what remains is what the second begins with.
        for (var warm = 0; warm < 2; warm++) await AttackAsync(broker);
        var (memory, descriptors) = (Memory(), Descriptors());
        await AttackAsync(broker);
        await Wait.UntilAsync(() => Descriptors() <= descriptors + DescriptorTolerance, () => $"{descriptors} descriptors or about so many; there are {Descriptors()}");
        await Wait.UntilAsync(() => Memory() <= memory + MemoryTolerance, () => $"{memory >> 10} KiB of managed memory or about so much; there are {Memory() >> 10}");
        await broker.ExpectResidentsServedAsync();
    }

    private static long Memory()
    {
        GC.Collect();
        GC.WaitForPendingFinalizers();
        GC.Collect(); // what had a finalizer
        return GC.GetTotalMemory(forceFullCollection: false);
    }

    /// <summary>Those of this process, where they can be counted.</summary>
    private static int Descriptors() => Directory.Exists("/proc/self/fd") ? Directory.GetFileSystemEntries("/proc/self/fd").Length : 0;

    private static async Task AttackAsync(EveryListener broker)
    {
        var assaults = new List<Assault>();
        foreach (var entrance in Entrance.All) assaults.AddRange(await Assault.RandomAsync(entrance, Seeds));
        await Parallel.ForEachAsync(assaults, new ParallelOptions { MaxDegreeOfParallelism = 16 }, async (assault, _) => await assault.RunAsync(broker));
        await broker.ExpectAttackersGoneAsync();
    }
}
