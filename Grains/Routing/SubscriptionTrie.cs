using System.Text;
using Broker.Grains.Interfaces.Topics;

namespace Broker.Grains.Routing;

/// <summary>Finds the routes of all topic filters that match a topic.</summary>
/// <remarks>
/// A trie over levels in which a run of levels without a branch is one node. The filters `a/b/c`, `a/b/+`, `a/b/+/d` and `#` make
/// <code>
/// (root) ─┬─ a/b ─┬─ c
///         │       └─ + ─── d        a/b and + begin more than one filter, so each is a node; + also has a route of its own
///         └─ #
/// </code>
/// A node's children are found by hash of (node, first level of the child's label), see <see cref="TrieNodes"/>. The topic `a/b/x` asks
/// the root for `a` and `#` (there is no `+`), passes `a/b`, asks that for `x` (none) and `+`, and is at its end: the routes of `+` and of `#`.
/// The topic `a/b` ends at a node and also takes that node's `#` child.
/// <para>Cost of a match: up to three look-ups for each node the topic passes, whatever the number of filters; `+` beside a literal doubles
/// the nodes of a level, but only nodes that exist are visited. Of a change: one look-up a node. Of memory: a filter adds one node, sometimes two,
/// of 40 bytes and its text below the branch, so that 65,536 empty levels are 64 KiB and not 65,536 nodes. A node cut in two stays so until
/// it is empty.</para>
/// <para>Not thread-safe, matching included: the caller holds the shard's lock.</para>
/// </remarks>
internal sealed class SubscriptionTrie
{
    private readonly TrieNodes nodes = new();
    private readonly RouteTable routes = new();

    /// <summary>What the match under way has still to visit: a node passed, and where in the topic its children's level begins.</summary>
    private (int Node, int At)[] pending = new (int, int)[32];

    private int pendingCount;

    /// <summary>How many different filters have routes.</summary>
    public int FilterCount { get; private set; }

    /// <summary>How many routes there are.</summary>
    public int RouteCount { get; private set; }

    /// <summary>Raised by every change; wraps around.</summary>
    public int Version { get; private set; }

    /// <summary>Nodes in use; an empty trie has one.</summary>
    public int NodeCount => nodes.Count;

    /// <summary>Adds a route.</summary>
    /// <param name="path">A valid topic filter without its share prefix, in UTF-8; not kept.</param>
    /// <param name="route">Where messages go.</param>
    /// <returns>True if this filter did not have this route yet.</returns>
    public bool Add(ReadOnlySpan<byte> path, Route route)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(route.Destination);
        ref var node = ref nodes[FindOrAdd(path)];
        var first = node.Destination == TrieNode.NoRoutes;
        if (!routes.Add(ref node, route)) return false;
        if (first) FilterCount++;
        RouteCount++;
        Version++;
        return true;
    }

    /// <summary>Removes a route, and the nodes that only it needed.</summary>
    /// <param name="path">The filter under which it was added.</param>
    /// <param name="route">The route.</param>
    /// <returns>True if it was there.</returns>
    public bool Remove(ReadOnlySpan<byte> path, Route route)
    {
        var at = Find(path);
        if (at == TrieNodes.Root || !routes.Remove(ref nodes[at], route)) return false;
        RouteCount--;
        Version++;
        if (nodes[at].Destination != TrieNode.NoRoutes) return true;
        FilterCount--;
        while (at != TrieNodes.Root && nodes[at].Destination == TrieNode.NoRoutes && nodes[at].Children.IsEmpty)
        {
            var parent = nodes[at].Parent;
            nodes.Remove(at);
            at = parent;
        }

        return true;
    }

    /// <summary>Appends the routes of every filter that matches; one route may come several times, under several filters.</summary>
    /// <param name="topic">A valid topic name, in UTF-8.</param>
    /// <param name="into">Receives the routes, in no particular order. Nothing else is allocated.</param>
    public void Match(ReadOnlySpan<byte> topic, List<Route> into)
    {
        pendingCount = 0; // whatever a match that threw left behind
        Push(TrieNodes.Root, 0);
        while (pendingCount > 0)
        {
            var (node, at) = pending[--pendingCount];
            var children = nodes[node].Children;
            if (at > topic.Length) // no level is left: only `#` matches the parent level
            {
                if (children.HasHash) Visit(node, "#"u8, topic, at, into);
                continue;
            }

            if (children.HasLiteral) Visit(node, topic[at..TrieWalk.LevelEnd(topic, at)], topic, at, into);
            if (at == 0 && topic is [(byte)'$', ..]) continue; // [MQTT-4.7.2-1]
            if (children.HasPlus) Visit(node, "+"u8, topic, at, into);
            if (children.HasHash) Visit(node, "#"u8, topic, at, into);
        }
    }

    /// <summary>Every route with its filter: for recovery and self-audit, not for the publish path.</summary>
    /// <param name="wanted">Which routes; null for all.</param>
    /// <exception cref="InvalidOperationException">The trie changed between two elements.</exception>
    public IEnumerable<(string Path, Route Route)> Enumerate(Predicate<Route>? wanted = null)
    {
        var version = Version;
        var found = new List<Route>();
        for (var node = 1; node < nodes.Slots; node++)
        {
            if (nodes[node].Parent == TrieNode.FreeSlot || nodes[node].Destination == TrieNode.NoRoutes) continue;
            string? path = null;
            found.Clear();
            routes.AppendTo(found, nodes[node]);
            foreach (var route in found)
            {
                if (wanted is null || wanted(route)) yield return (path ??= PathOf(node), route);
                if (version != Version) throw new InvalidOperationException("The trie changed while it was enumerated.");
            }
        }
    }

    /// <summary>Finds wanted routes, with their filters, at some of the nodes; the caller goes on until all have been looked at.</summary>
    /// <param name="from">The node to begin with: 1, or what the last call returned.</param>
    /// <param name="count">How many nodes to look at.</param>
    /// <returns>The node to go on with; 0 at the end.</returns>
    public int Collect(Predicate<Route> wanted, int from, int count, List<(string Path, Route Route)> into)
    {
        var found = new List<Route>();
        var end = Math.Min(nodes.Slots, from + count);
        for (var node = from; node < end; node++)
        {
            if (nodes[node].Parent == TrieNode.FreeSlot) continue;
            found.Clear();
            routes.AppendTo(found, nodes[node]);
            string? path = null;
            foreach (var route in found)
            {
                if (wanted(route)) into.Add((path ??= PathOf(node), route));
            }
        }

        return end < nodes.Slots ? end : 0;
    }

    /// <summary>The node at which a filter ends, or the root.</summary>
    private int Find(ReadOnlySpan<byte> path)
    {
        var node = TrieNodes.Root;
        while (true)
        {
            node = nodes.Find(node, TopicLevels.Prefix(path, 1), out var label);
            if (node == TrieNodes.Root) return node;
            var shared = TrieWalk.SharedLevels(label, path);
            if (shared < label.Length) return TrieNodes.Root;
            if (shared == path.Length) return node;
            path = path[(shared + 1)..];
        }
    }

    private int FindOrAdd(ReadOnlySpan<byte> path)
    {
        var node = TrieNodes.Root;
        while (true)
        {
            var child = nodes.Find(node, TopicLevels.Prefix(path, 1), out var label);
            if (child == 0) return nodes.Add(node, path);
            var shared = TrieWalk.SharedLevels(label, path);
            node = shared < label.Length ? nodes.Split(child, shared) : child;
            if (shared == path.Length) return node;
            path = path[(shared + 1)..];
        }
    }

    /// <summary>Looks for a child; takes its routes if the topic ends in it, or leaves its children for later.</summary>
    private void Visit(int parent, ReadOnlySpan<byte> level, ReadOnlySpan<byte> topic, int at, List<Route> into)
    {
        var child = nodes.Find(parent, level, out var label);
        if (child == 0) return;
        ref var node = ref nodes[child];
        // With no level left the child can only be `#`.
        var next = at > topic.Length ? TrieWalk.Everything : TrieWalk.Pass(label, topic, at);
        if (next == TrieWalk.Mismatch) return;
        if (next == TrieWalk.Everything || next > topic.Length) routes.AppendTo(into, node);
        if (next != TrieWalk.Everything && !node.Children.IsEmpty) Push(child, next);
    }

    private void Push(int node, int at)
    {
        if (pendingCount == pending.Length) Array.Resize(ref pending, pendingCount * 2);
        pending[pendingCount++] = (node, at);
    }

    private string PathOf(int node)
    {
        var labels = new Stack<string>();
        for (; node != TrieNodes.Root; node = nodes[node].Parent) labels.Push(Encoding.UTF8.GetString(nodes.LabelOf(node)));
        return string.Join('/', labels);
    }
}
