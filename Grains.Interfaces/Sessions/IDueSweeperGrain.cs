namespace Broker.Grains.Interfaces.Sessions;

/// <summary>Wakes durable sessions whose delayed will or expiry has come due. One in the cluster, key 0.</summary>
[Alias("IDueSweeperGrain")]
public interface IDueSweeperGrain : IGrainWithIntegerKey
{
    /// <summary>Sees to it that it runs.</summary>
    [Alias("Ping")]
    Task Ping();
}
