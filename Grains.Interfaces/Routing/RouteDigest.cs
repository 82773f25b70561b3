namespace Broker.Grains.Interfaces.Routing;

/// <summary>A short fingerprint of a set of routes, by which a shard and a gateway see whether they know the same. Independent of order.</summary>
/// <param name="Count">How many routes there are.</param>
/// <param name="Sum">The sum of their mixed numbers.</param>
[GenerateSerializer, Immutable, Alias("RouteDigest")]
public readonly record struct RouteDigest([property: Id(0)] int Count, [property: Id(1)] ulong Sum)
{
    /// <summary>With one route more.</summary>
    public RouteDigest With(ulong route) => new(Count + 1, Sum + Mix(route));

    /// <summary>With one route less.</summary>
    public RouteDigest Without(ulong route) => new(Count - 1, Sum - Mix(route));

    /// <summary>Of two disjoint sets together.</summary>
    public static RouteDigest operator +(RouteDigest one, RouteDigest other) => new(one.Count + other.Count, one.Sum + other.Sum);

    private static ulong Mix(ulong route)
    {
        route = (route ^ (route >> 30)) * 0xBF58476D1CE4E5B9;
        route = (route ^ (route >> 27)) * 0x94D049BB133111EB;
        return route ^ (route >> 31);
    }
}
