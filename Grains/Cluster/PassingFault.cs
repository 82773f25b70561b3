using Broker.Grains.Storage;

namespace Broker.Grains.Cluster;

/// <summary>Failures that say that a store or another process could not answer now: timers and host loops ask again later.</summary>
internal static class PassingFault
{
    /// <remarks>A call whose grain was being looked up at a silo that died is cancelled, though nobody asked for that.</remarks>
    public static bool Is(Exception fault) => fault is StoreException or TimeoutException or OrleansException or OperationCanceledException;
}
