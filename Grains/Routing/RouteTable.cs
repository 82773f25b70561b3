namespace Broker.Grains.Routing;

/// <summary>The routes of trie nodes: a single one lies in the node itself, several in a <see cref="RouteSet"/>.</summary>
internal sealed class RouteTable
{
    private const int FirstSet = -2;

    private static readonly RouteSet Unused = new();

    private readonly List<RouteSet> sets = [];
    private readonly Stack<int> freeSets = new();

    /// <summary>True if the route was new.</summary>
    public bool Add(ref TrieNode node, Route route)
    {
        if (node.Destination == TrieNode.NoRoutes)
        {
            SetSingle(ref node, route);
            return true;
        }

        if (node.Destination < 0) return SetOf(node).Add(route);
        var single = new Route(node.Destination, node.Id);
        if (single == route) return false;
        var set = new RouteSet();
        set.Add(single);
        set.Add(route);
        node.Destination = Keep(set);
        return true;
    }

    /// <summary>True if the route was there.</summary>
    public bool Remove(ref TrieNode node, Route route)
    {
        if (node.Destination == TrieNode.NoRoutes) return false;
        if (node.Destination >= 0)
        {
            if (new Route(node.Destination, node.Id) != route) return false;
            node.Destination = TrieNode.NoRoutes;
            return true;
        }

        var set = SetOf(node);
        if (!set.Remove(route)) return false;
        if (set.Count == 1)
        {
            Discard(FirstSet - node.Destination);
            SetSingle(ref node, set.Routes[0]);
        }

        return true;
    }

    /// <summary>Appends the node's routes.</summary>
    public void AppendTo(List<Route> into, in TrieNode node)
    {
        if (node.Destination >= 0) into.Add(new Route(node.Destination, node.Id));
        else if (node.Destination != TrieNode.NoRoutes) into.AddRange(SetOf(node).Routes);
    }

    private static void SetSingle(ref TrieNode node, Route route) => (node.Destination, node.Id) = (route.Destination, route.Id);

    private RouteSet SetOf(in TrieNode node) => sets[FirstSet - node.Destination];

    private int Keep(RouteSet set)
    {
        if (freeSets.TryPop(out var free))
        {
            sets[free] = set;
            return FirstSet - free;
        }

        sets.Add(set);
        return FirstSet - (sets.Count - 1);
    }

    private void Discard(int set)
    {
        sets[set] = Unused;
        freeSets.Push(set);
        if (freeSets.Count < sets.Count) return;
        sets.Clear();
        sets.TrimExcess();
        freeSets.Clear();
        freeSets.TrimExcess();
    }
}
