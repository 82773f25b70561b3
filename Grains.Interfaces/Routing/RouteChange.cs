using Broker.Grains.Interfaces.Topics;

namespace Broker.Grains.Interfaces.Routing;

/// <summary>A route to be added to or removed from a shard.</summary>
/// <param name="Filter">The filter; a shared one joins or leaves its group.</param>
/// <param name="Destination">Who gets the matching messages.</param>
/// <param name="RouteId">The number by which the destination knows the subscription; it comes with every delivery.</param>
/// <param name="Remove">False adds; adding one that exists, or removing one that does not, changes nothing.</param>
[GenerateSerializer, Immutable, Alias("RouteChange")]
public readonly record struct RouteChange(
    [property: Id(0)] TopicFilter Filter,
    [property: Id(1)] RouteDestination Destination,
    [property: Id(2)] ulong RouteId,
    [property: Id(3)] bool Remove = false);

/// <summary>Who a route leads to: the transient sessions of a gateway, or one durable session.</summary>
/// <remarks>Made once by its owner and shared by its routes.</remarks>
[GenerateSerializer, Immutable, Alias("RouteDestination")]
public sealed record RouteDestination
{
    private RouteDestination()
    {
    }

    /// <summary>The gateway's process; null for a session.</summary>
    [Id(0)]
    public SiloAddress? Gateway { get; private init; }

    /// <summary>The client identifier of the durable session; null for a gateway.</summary>
    [Id(1)]
    public string? ClientId { get; private init; }

    /// <summary>The transient sessions of one gateway.</summary>
    public static RouteDestination OfGateway(SiloAddress gateway) => new() { Gateway = gateway };

    /// <summary>A durable session.</summary>
    public static RouteDestination OfSession(string clientId) => new() { ClientId = clientId };
}
