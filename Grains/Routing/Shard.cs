using System.Text;
using Broker.Grains.Interfaces.Messages;
using Broker.Grains.Interfaces.Metrics;
using Broker.Grains.Interfaces.Routing;
using Broker.Grains.Interfaces.Topics;

namespace Broker.Grains.Routing;

/// <summary>The routes of one shard: what <see cref="TopicShardGrain"/> owns and lets its process use directly.</summary>
/// <remarks>Thread-safe by one lock, held for a look-up or a change and never across I/O or a delivery. Matches are immutable, so messages leave
/// outside the lock; a publisher's own thread keeps its order.</remarks>
internal sealed partial class Shard(DestinationTable destinations, RoutingOptions options, ShardTally tally) : ILocalShard
{
    /// <summary>Nodes looked at while the lock is held: some 100 µs.</summary>
    private const int SweepNodes = 10_000;

    private readonly Lock gate = new();
    private readonly SubscriptionTrie trie = new();
    private readonly Dictionary<string, SharedGroup> groups = new(StringComparer.Ordinal);
    private readonly Dictionary<TopicName, ShardMatch> matches = [];
    private readonly List<Route> found = [];
    private int version;
    private volatile bool closed;

    /// <summary>How many routes there are, members of shared subscriptions not counted.</summary>
    public int RouteCount
    {
        get
        {
            lock (gate) return trie.RouteCount;
        }
    }

    /// <summary>How many subscriptions of durable sessions are counted here.</summary>
    public int DurableCount
    {
        get
        {
            lock (gate) return tally.Durable;
        }
    }

    /// <summary>Whether a match made at some version still holds.</summary>
    public bool IsCurrent(int matchVersion) => !closed && Volatile.Read(ref version) == matchVersion;

    public bool TryMatch(TopicName topic, out IShardMatch match)
    {
        lock (gate)
        {
            match = null!;
            if (closed) return false;
            if (matches.TryGetValue(topic, out var known) && known.IsCurrent)
            {
                match = known;
                return true;
            }

            found.Clear();
            trie.Match(topic.Utf8, found);
            var made = ShardMatch.Of(this, version, found, destinations);
            if (options.MatchCacheSize > 0)
            {
                if (matches.Count >= options.MatchCacheSize) matches.Clear();
                matches[topic] = made;
            }

            match = made;
            return true;
        }
    }

    public bool TryChange(ReadOnlySpan<RouteChange> changes)
    {
        lock (gate)
        {
            if (closed) return false;
            foreach (ref readonly var change in changes) Apply(change);
            return true;
        }
    }

    public bool TryClaim(in RouteChange change, out bool isGranted)
    {
        lock (gate)
        {
            isGranted = false;
            if (closed) return false;
            var stale = Array.Empty<ulong>();
            isGranted = !groups.TryGetValue(change.Filter.Text, out var group) || group.MayHold(change.Destination, change.RouteId, out stale);
            if (!isGranted) return true;
            Apply(change);
            foreach (var route in stale) Apply(change with { RouteId = route, Remove = true });
            return true;
        }
    }

    /// <summary>Adds and removes routes. For the audit.</summary>
    /// <returns>How many of the changes had anything to change: the others have been made meanwhile, or the shard has been closed.</returns>
    public int Repair(ReadOnlySpan<RouteChange> changes)
    {
        lock (gate)
        {
            var repaired = 0;
            if (closed) return repaired;
            foreach (ref readonly var change in changes)
            {
                if (Apply(change)) repaired++;
            }

            return repaired;
        }
    }

    public bool TryRedispatch(in TopicFilter filter, ApplicationMessage message, List<ulong> shared)
    {
        SharedGroup? group;
        lock (gate)
        {
            if (closed) return false;
            groups.TryGetValue(filter.Text, out group);
        }

        if (group is null || !group.Dispatch(message, null, shared)) BrokerCounters.Add(Metric.MessagesDroppedNoSubscribers);
        return true;
    }

    /// <summary>A gateway has gone for good: from now on nothing is sent there. Its routes are taken out on the thread pool, a part at a time, so that
    /// the shard is not held up.</summary>
    public void Forget(SiloAddress gateway)
    {
        var name = RouteDestination.OfGateway(gateway);
        lock (gate)
        {
            if (closed || !destinations.TryFind(name, out var number) || destinations.IsDead(number)) return;
            destinations.Kill(number);
            var left = groups.SelectMany(group => group.Value.Members().Where(member => member.Destination == number).Select(member => (group.Key, member.Route)));
            foreach (var (filter, route) in left.ToArray()) Apply(new RouteChange(TopicFilter.Parse(filter), name, route, Remove: true));
            Volatile.Write(ref version, version + 1);
        }

        _ = Task.Run(() =>
        {
            for (var next = Sweep(name, 1); next != 0;) next = Sweep(name, next);
        });
    }

    /// <summary>Takes some of a dead destination's routes out.</summary>
    /// <returns>The node to go on with; 0 when all are out.</returns>
    private int Sweep(RouteDestination name, int from)
    {
        lock (gate)
        {
            if (closed || !destinations.TryFind(name, out var number)) return 0;
            var waste = new List<(string Path, Route Route)>();
            var next = trie.Collect(route => route.Destination == number, from, SweepNodes, waste);
            foreach (var (path, route) in waste) Apply(new RouteChange(TopicFilter.Parse(path), name, route.Id, Remove: true));
            return next;
        }
    }

    /// <summary>Ends all direct use; what was matched before is no longer current.</summary>
    public void Close()
    {
        lock (gate)
        {
            if (closed) return;
            closed = true;
            tally.Clear();
        }
    }

    /// <summary>Completes when all that was routed has arrived, after <see cref="Close"/>.</summary>
    public Task WhenDeliveredAsync()
    {
        lock (gate) return destinations.WhenIdleAsync();
    }

    /// <returns>False if it was so already.</returns>
    private bool Apply(in RouteChange change)
    {
        Span<byte> small = stackalloc byte[512];
        var path = change.Filter.Path;
        var utf8 = path.Length * 3 <= small.Length ? small[..Encoding.UTF8.GetBytes(path, small)] : Encoding.UTF8.GetBytes(path);
        var filters = trie.FilterCount;
        var changed = change.Filter.IsGrouped ? ApplyGrouped(change, utf8)
            : change.Remove ? Remove(utf8, change)
            : Add(utf8, change);
        if (!changed) return false;
        if (destinations.TryFind(change.Destination, out var number))
        {
            ref var digest = ref destinations.DigestOf(number);
            digest = change.Remove ? digest.Without(change.RouteId) : digest.With(change.RouteId);
        }

        Volatile.Write(ref version, version + 1);
        tally.Count(change, trie.FilterCount - filters);
        return true;
    }

    private bool Add(ReadOnlySpan<byte> path, in RouteChange change)
    {
        var destination = destinations.Acquire(change.Destination);
        if (trie.Add(path, new Route(destination, change.RouteId))) return true;
        destinations.Release(destination);
        return false;
    }

    private bool Remove(ReadOnlySpan<byte> path, in RouteChange change)
    {
        if (!destinations.TryFind(change.Destination, out var destination) || !trie.Remove(path, new Route(destination, change.RouteId))) return false;
        destinations.Release(destination);
        return true;
    }

    private bool ApplyGrouped(in RouteChange change, ReadOnlySpan<byte> path)
    {
        var exists = groups.TryGetValue(change.Filter.Text, out var group);
        if (change.Remove)
        {
            if (!exists || !group!.Leave(change.Destination, change.RouteId)) return false;
            if (group.IsEmpty) Drop(change.Filter.Text, group);
            return true;
        }

        if (!exists)
        {
            var strategy = change.Filter.ShareName is { } share ? options.GroupStrategies.GetValueOrDefault(share, options.SharedStrategy) : options.SharedStrategy;
            group = new SharedGroup(strategy, destinations) { IsExclusive = change.Filter.IsExclusive };
            group.Number = destinations.AddGroup(group);
            groups.Add(change.Filter.Text, group);
            trie.Add(path, new Route(group.Number, 0));
        }

        return group!.Join(change.Destination, change.RouteId);
    }

    private void Drop(string name, SharedGroup group)
    {
        groups.Remove(name);
        trie.Remove(Encoding.UTF8.GetBytes(TopicFilter.Parse(name).Path), new Route(group.Number, 0));
        destinations.RemoveGroup(group.Number);
    }
}
