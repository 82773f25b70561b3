using Broker.Grains.Interfaces.Routing;
using Broker.Grains.Interfaces.Topics;

namespace Broker.Grains.Routing;

// What others want to know of the routes.
internal sealed partial class Shard
{
    /// <summary>Nodes looked at while the lock is held and texts are made of them: some 100 µs.</summary>
    private const int ListNodes = 1_000;

    /// <summary>Who a message on a topic would go to.</summary>
    public MatchedRoute[] Explain(TopicName topic)
    {
        lock (gate)
        {
            var matching = new List<Route>();
            if (!closed) trie.Match(topic.Utf8, matching);
            var all = new List<MatchedRoute>();
            foreach (var one in matching.GroupBy(route => route.Destination).Where(one => !destinations.IsDead(one.Key)))
            {
                if (destinations.GroupOf(one.Key) is { } group)
                {
                    var members = group.Members();
                    var filter = groups.First(pair => pair.Value == group).Key;
                    all.AddRange(members.Select(member => new MatchedRoute(destinations.NameOf(member.Destination)!, [member.Route], filter, members.Length)));
                }
                else if (destinations.NameOf(one.Key) is { } name)
                {
                    all.Add(new MatchedRoute(name, [.. one.Select(route => route.Id)], null, 0));
                }
            }

            return [.. all];
        }
    }

    /// <summary>Lists some of the filters, each with every process it leads to once; a durable session has none, which is null.</summary>
    /// <param name="from">The node to begin with: 1, or what the last call returned.</param>
    /// <returns>The node to go on with; 0 when all have been looked at.</returns>
    public int List(int from, List<(string Path, SiloAddress? Gateway)> into)
    {
        lock (gate)
        {
            if (closed) return 0;
            var routes = new List<(string Path, Route Route)>();
            var next = trie.Collect(route => !destinations.IsDead(route.Destination), from, ListNodes, routes);
            foreach (var (path, route) in routes)
            {
                int[] ends = destinations.GroupOf(route.Destination) is { } group ? Array.ConvertAll(group.Members(), member => member.Destination) : [route.Destination];
                foreach (var gateway in ends.Select(end => destinations.NameOf(end)?.Gateway)) into.Add((path, gateway));
            }

            return next;
        }
    }

    /// <summary>The gateways that have routes here, and a digest of each one's.</summary>
    public Dictionary<SiloAddress, RouteDigest> Gateways()
    {
        lock (gate)
        {
            var all = new Dictionary<SiloAddress, RouteDigest>();
            foreach (var name in destinations.Names)
            {
                if (name.Gateway is { } gateway && destinations.TryFind(name, out var number) && !destinations.IsDead(number)) all.Add(gateway, destinations.DigestOf(number));
            }

            return all;
        }
    }

    /// <summary>Every route, closed or not: for the shard's next activation.</summary>
    public RouteChange[] Snapshot() => Snapshot(static _ => true);

    /// <summary>The routes of one destination; of all durable sessions if it is null. For the audit.</summary>
    public RouteChange[] Snapshot(RouteDestination? of) => Snapshot(of is null ? static name => name.ClientId is not null : name => name == of);

    private RouteChange[] Snapshot(Predicate<RouteDestination> wanted)
    {
        lock (gate)
        {
            var all = new List<RouteChange>();
            foreach (var (path, route) in trie.Enumerate(IsWanted)) all.Add(new RouteChange(TopicFilter.Parse(path), destinations.NameOf(route.Destination)!, route.Id));

            foreach (var (filter, group) in groups)
            {
                foreach (var (destination, route) in group.Members())
                {
                    if (destinations.NameOf(destination) is { } name && wanted(name)) all.Add(new RouteChange(TopicFilter.Parse(filter), name, route));
                }
            }

            return [.. all];
        }

        bool IsWanted(Route route) => destinations.NameOf(route.Destination) is { } name && !destinations.IsDead(route.Destination) && wanted(name);
    }
}
