namespace Broker.Grains.Interfaces.Cluster;

/// <summary>A grain that is one of a fixed number, spread evenly over the silos: shards, retained partitions, registry partitions.</summary>
[Alias("ISpreadGrain")]
public interface ISpreadGrain : IGrainWithIntegerKey
{
    /// <summary>Moves to another silo, with its state, as soon as no call runs; does nothing if it is there.</summary>
    [Alias("MoveTo")]
    Task MoveTo(SiloAddress silo);

    /// <summary>Does nothing but bring the grain up.</summary>
    [Alias("Ping")]
    Task Ping();
}
