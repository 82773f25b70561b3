using Broker.Grains.Interfaces.Routing;

namespace Broker.Gateway.Links;

/// <summary>The filters of one event loop by the shard they live in, with a digest each: what a shard asks for when it recovers or audits itself.</summary>
/// <remarks>On its loop only.</remarks>
internal sealed class RoutesByShard(ShardMap map)
{
    /// <summary>The filters of each shard; the last list holds those that live in all.</summary>
    private readonly List<LocalFilter>?[] lists = new List<LocalFilter>?[map.Count + 1];
    private readonly RouteDigest[] digests = new RouteDigest[map.Count + 1];

    public void Add(LocalFilter filter, ulong route)
    {
        var home = HomeOf(filter);
        var list = lists[home] ??= [];
        filter.HomePosition = list.Count;
        list.Add(filter);
        digests[home] = digests[home].With(route);
    }

    /// <summary>The last one of its list takes its place.</summary>
    public void Remove(LocalFilter filter, ulong route)
    {
        var home = HomeOf(filter);
        var list = lists[home]!;
        var last = list[^1];
        list[filter.HomePosition] = last;
        last.HomePosition = filter.HomePosition;
        list.RemoveAt(list.Count - 1);
        if (list.Count == 0) lists[home] = null;
        digests[home] = digests[home].Without(route);
    }

    /// <summary>The filters that a shard knows, or is to know.</summary>
    public IEnumerable<LocalFilter> Of(int shard) => (lists[shard] ?? []).Concat(lists[map.Count] ?? []);

    /// <summary>The digest of their routes.</summary>
    public RouteDigest DigestOf(int shard) => digests[shard] + digests[map.Count];

    private int HomeOf(LocalFilter filter)
    {
        var home = map.ShardOf(filter.Filter);
        return home == ShardMap.EveryShard ? map.Count : home;
    }
}
