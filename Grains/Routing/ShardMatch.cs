using System.Runtime.InteropServices;
using Broker.Grains.Interfaces.Messages;
using Broker.Grains.Interfaces.Routing;
using Broker.Grains.Storage;

namespace Broker.Grains.Routing;

/// <summary>Where messages on one topic go, grouped by destination. Immutable but for the groups' turns.</summary>
internal sealed class ShardMatch : IShardMatch
{
    private readonly Shard shard;
    private readonly int version;
    private readonly ulong[] own;
    private readonly Target[] targets;
    private readonly SharedGroup[] groups;
    private readonly int sessions;

    private ShardMatch(Shard shard, int version, ulong[] own, Target[] targets, SharedGroup[] groups)
    {
        (this.shard, this.version, this.own, this.targets, this.groups) = (shard, version, own, targets, groups);
        foreach (var target in targets)
        {
            if (target.Destination is SessionDestination) sessions++;
            NeedsReceipt |= target.Destination.NeedsReceipt;
        }

        foreach (var group in groups) NeedsReceipt |= group.NeedsReceipt;
        DestinationCount = (own.Length > 0 ? 1 : 0) + targets.Length + groups.Length;
    }

    public bool IsCurrent => shard.IsCurrent(version);

    public bool NeedsReceipt { get; }

    public int DestinationCount { get; }

    /// <summary>Groups what the trie found. Under the shard's lock.</summary>
    public static ShardMatch Of(Shard shard, int version, List<Route> found, DestinationTable destinations)
    {
        if (found.Count == 0) return new ShardMatch(shard, version, [], [], []);
        if (found.Count == 1 && found[0].Destination == DestinationTable.Own) return new ShardMatch(shard, version, [found[0].Id], [], []);
        found.Sort(static (a, b) => a.Destination != b.Destination ? a.Destination.CompareTo(b.Destination) : a.Id.CompareTo(b.Id));
        ulong[] own = [];
        var targets = new List<Target>();
        var groups = new List<SharedGroup>();
        for (var routes = CollectionsMarshal.AsSpan(found); !routes.IsEmpty;)
        {
            var number = routes[0].Destination;
            var count = 1;
            while (count < routes.Length && routes[count].Destination == number) count++;
            if (destinations.IsDead(number)) { /* its routes are on their way out */ }
            else if (destinations.GroupOf(number) is { } group) groups.Add(group);
            else if (number == DestinationTable.Own) own = Ids(routes[..count]);
            else targets.Add(new Target(destinations.TargetOf(number)!, Ids(routes[..count])));
            routes = routes[count..];
        }

        return new ShardMatch(shard, version, own, [.. targets], [.. groups]);
    }

    public ulong[] Dispatch(ApplicationMessage message, PublishReceipt? receipt, List<ulong> shared)
    {
        if (targets.Length > 0)
        {
            var body = sessions > 1 ? new SharedBody(message) : null;
            foreach (var target in targets) target.Destination.Deliver(message, target.Routes, body, receipt);
        }

        foreach (var group in groups) group.Dispatch(message, receipt, shared);
        return own;
    }

    private static ulong[] Ids(ReadOnlySpan<Route> routes)
    {
        var ids = new ulong[routes.Length];
        for (var i = 0; i < ids.Length; i++) ids[i] = routes[i].Id;
        return ids;
    }

    private readonly record struct Target(IDestination Destination, ulong[] Routes);
}
