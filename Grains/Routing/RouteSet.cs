using System.Numerics;

namespace Broker.Grains.Routing;

/// <summary>The distinct routes of one filter that has several. They lie in one array, so that a match copies them in one go.</summary>
/// <remarks>Up to <see cref="ScanLimit"/> routes are found by scanning. Above that an open-addressing index (position plus one, 0 is free)
/// finds them, so that 100,000 clients who leave one filter cost O(1) each. Order is not kept: the last route fills a gap.</remarks>
internal sealed class RouteSet
{
    /// <summary>Scanning 16 routes of 16 bytes touches four cache lines: about what a look-up in the index costs.</summary>
    private const int ScanLimit = 16;

    private static readonly ulong Seed = (ulong)Random.Shared.NextInt64();

    private Route[] routes = new Route[2];
    private int[] index = [];

    /// <summary>How many routes there are.</summary>
    public int Count { get; private set; }

    /// <summary>The routes; valid until the next change.</summary>
    public ReadOnlySpan<Route> Routes => routes.AsSpan(0, Count);

    /// <summary>True if the route was new.</summary>
    public bool Add(Route route)
    {
        if (Find(route, out var slot) >= 0) return false;
        if (Count == routes.Length) Array.Resize(ref routes, Count * 2);
        routes[Count++] = route;
        if (index.Length >= Count * 4 / 3) index[slot] = Count;
        else if (Count > ScanLimit) Index();
        return true;
    }

    /// <summary>True if the route was there.</summary>
    public bool Remove(Route route)
    {
        var at = Find(route, out var slot);
        if (at < 0) return false;
        var last = routes[Count - 1];
        var lastSlot = 0;
        if (index.Length != 0) Find(last, out lastSlot);
        routes[at] = last;
        if (index.Length != 0)
        {
            index[lastSlot] = at + 1;
            Free(slot);
        }

        Count--;
        if (routes.Length > ScanLimit && Count < routes.Length / 4) Shrink();
        return true;
    }

    private static int Hash(Route route)
    {
        var mixed = (route.Id ^ Seed ^ BitOperations.RotateLeft((ulong)(uint)route.Destination, 40)) * 0x9E3779B97F4A7C15;
        return (int)(((mixed ^ (mixed >> 29)) * 0xBF58476D1CE4E5B9) >> 33);
    }

    /// <summary>The route's position, or -1; and its slot in the index, or the free slot where it belongs.</summary>
    private int Find(Route route, out int slot)
    {
        slot = 0;
        if (index.Length == 0) return Routes.IndexOf(route);
        slot = Hash(route) & (index.Length - 1);
        while (index[slot] != 0)
        {
            var at = index[slot] - 1;
            if (routes[at] == route) return at;
            slot = (slot + 1) & (index.Length - 1);
        }

        return -1;
    }

    /// <summary>Frees a slot and moves back what had to step over it, so that no tombstones gather.</summary>
    private void Free(int slot)
    {
        var mask = index.Length - 1;
        for (var next = (slot + 1) & mask; index[next] != 0; next = (next + 1) & mask)
        {
            var home = Hash(routes[index[next] - 1]) & mask;
            if (((next - home) & mask) < ((next - slot) & mask)) continue; // its home lies behind the gap
            index[slot] = index[next];
            slot = next;
        }

        index[slot] = 0;
    }

    private void Index()
    {
        index = new int[(int)BitOperations.RoundUpToPowerOf2((uint)Count * 2)];
        for (var at = 0; at < Count; at++)
        {
            var slot = Hash(routes[at]) & (index.Length - 1);
            while (index[slot] != 0) slot = (slot + 1) & (index.Length - 1);
            index[slot] = at + 1;
        }
    }

    private void Shrink()
    {
        Array.Resize(ref routes, routes.Length / 2);
        if (Count > ScanLimit) Index();
        else index = [];
    }
}
