namespace Broker.Grains.Routing;

/// <summary>Where a matching message goes.</summary>
/// <param name="Destination">Index into the shard's table of destinations; never negative.</param>
/// <param name="Id">The number by which that destination knows the subscription.</param>
internal readonly record struct Route(int Destination, ulong Id);
