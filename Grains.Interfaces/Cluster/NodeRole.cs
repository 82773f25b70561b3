namespace Broker.Grains.Interfaces.Cluster;

/// <summary>What this process is in its cluster.</summary>
/// <param name="HostsGrains">False for a pure front end, on which no grain is placed.</param>
/// <param name="IsAlone">True without a cluster: nobody else can own what this process holds, and what it stores is one transaction.</param>
public sealed record NodeRole(bool HostsGrains, bool IsAlone);
