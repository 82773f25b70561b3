using System.Diagnostics.CodeAnalysis;
using Broker.Grains.Interfaces.Routing;
using Broker.Grains.Interfaces.Topics;

namespace Broker.Gateway.Links;

/// <summary>The filters of one event loop's transient sessions: by name when one subscribes, by route when a message comes.</summary>
/// <remarks>Written and delivered from on its loop only. A shared filter has an entry for each subscriber, as the shard chooses among them; an exclusive one too, as the shard chooses whom it takes.</remarks>
internal sealed class FilterTable
{
    private const int MaxRetired = 1024;

    private readonly int loop;
    private readonly HashSet<LocalFilter> filters = new(ByName.Instance);
    private readonly HashSet<LocalFilter>.AlternateLookup<string> byName;
    private readonly Stack<int> free = new();
    private readonly Queue<LocalFilter> retired = new();
    private LocalFilter?[] slots = new LocalFilter?[16];
    private int[] generations = new int[16];
    private readonly RoutesByShard byShard;
    private int used;

    public FilterTable(int loop, ShardMap map)
    {
        this.loop = loop;
        byShard = new RoutesByShard(map);
        byName = filters.GetAlternateLookup<string>();
    }

    /// <summary>How many filters there are.</summary>
    public int Count => used - free.Count - retired.Count;

    /// <summary>The route by which a shard knows a filter.</summary>
    public ulong RouteOf(LocalFilter filter) => RouteId.Of(loop, filter.Generation, filter.Slot);

    /// <summary>Finds or makes the entry of an unshared filter.</summary>
    /// <param name="isNew">True if it was made: the shard must learn of it.</param>
    public LocalFilter GetOrAdd(in TopicFilter filter, out bool isNew)
    {
        isNew = !byName.TryGetValue(filter.Text, out var found);
        if (!isNew) return found!;
        found = Add(filter);
        filters.Add(found);
        return found;
    }

    /// <summary>The entry of an unshared filter.</summary>
    public bool TryFind(in TopicFilter filter, [NotNullWhen(true)] out LocalFilter? found) => byName.TryGetValue(filter.Text, out found);

    /// <summary>Makes an entry for one subscriber of a shared or exclusive filter.</summary>
    public LocalFilter AddShared(in TopicFilter filter) => Add(filter);

    /// <summary>The entry of a route; null if it has gone.</summary>
    public LocalFilter? Find(ulong route)
    {
        var slot = RouteId.Slot(route);
        var filter = slot < slots.Length ? slots[slot] : null;
        return filter is not null && filter.Generation == RouteId.Generation(route) ? filter : null;
    }

    /// <summary>Removes an entry that has no subscriber any more.</summary>
    /// <remarks>A shared one is still found for a while, empty: a message that chose it on another thread before it left must go to another member.</remarks>
    public void Remove(LocalFilter filter)
    {
        byShard.Remove(filter, RouteOf(filter));
        if (filter.Filter.IsShared)
        {
            retired.Enqueue(filter);
            if (retired.Count <= MaxRetired) return;
            filter = retired.Dequeue();
        }
        else
        {
            byName.Remove(filter.Filter.Text);
        }

        slots[filter.Slot] = null;
        generations[filter.Slot] = (filter.Generation + 1) & RouteId.MaxGeneration;
        free.Push(filter.Slot);
    }

    /// <summary>The routes that live in a shard; for a shard that recovers. Runs on the loop.</summary>
    public List<RouteChange> RoutesOf(int shard, RouteDestination self) =>
        [.. byShard.Of(shard).Where(filter => !filter.IsClaiming).Select(filter => new RouteChange(filter.Filter, self, RouteOf(filter)))];

    /// <summary>The digest of these routes; for a shard that audits itself. Runs on the loop.</summary>
    public RouteDigest DigestOf(int shard) => byShard.DigestOf(shard);

    private LocalFilter Add(in TopicFilter filter)
    {
        if (!free.TryPop(out var slot))
        {
            slot = used++;
            if (slot == slots.Length)
            {
                Array.Resize(ref slots, slot * 2);
                Array.Resize(ref generations, slot * 2);
            }
        }

        var added = slots[slot] = new LocalFilter(filter, slot, generations[slot]);
        byShard.Add(added, RouteOf(added));
        return added;
    }

    /// <summary>Entries by their filter's text, which they hold themselves: a set is a third smaller than a dictionary.</summary>
    private sealed class ByName : IEqualityComparer<LocalFilter>, IAlternateEqualityComparer<string, LocalFilter>
    {
        public static readonly ByName Instance = new();

        public bool Equals(LocalFilter? one, LocalFilter? other) => ReferenceEquals(one, other);

        public int GetHashCode(LocalFilter filter) => GetHashCode(filter.Filter.Text);

        public bool Equals(string text, LocalFilter filter) => text == filter.Filter.Text;

        public int GetHashCode(string text) => text.GetHashCode(StringComparison.Ordinal);

        public LocalFilter Create(string text) => throw new NotSupportedException("An entry needs a slot.");
    }
}
