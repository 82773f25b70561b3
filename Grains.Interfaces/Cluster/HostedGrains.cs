namespace Broker.Grains.Interfaces.Cluster;

/// <summary>Whether this process takes grains.</summary>
/// <param name="Any">False for a pure front end.</param>
public sealed record HostedGrains(bool Any);
