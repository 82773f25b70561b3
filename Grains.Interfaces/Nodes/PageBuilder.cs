using System.Text.Json.Serialization.Metadata;

namespace Broker.Grains.Interfaces.Nodes;

/// <summary>Gathers a page of a list that lies in parts whose sizes are known: parts in front of the page are not read.</summary>
/// <param name="query">Which page.</param>
public sealed class PageBuilder<TItem>(NodeQuery query)
{
    private readonly List<TItem> found = [];
    private long skipped;

    /// <summary>There is enough, and one more to tell that there are more; never when all are to be counted.</summary>
    public bool IsFull => query.Limit != NodeQuery.Count && skipped + found.Count > query.Skip + query.Limit;

    /// <summary>Whether a part lies in front of the page; then it counts as passed.</summary>
    /// <param name="count">How many the part has.</param>
    public bool Passes(long count)
    {
        // With filters nobody knows how many of a part there are in the list.
        if (query.Filters.Length > 0 || found.Count > 0 || skipped + count > query.Skip) return false;
        skipped += count;
        return true;
    }

    /// <summary>Adds what a part has.</summary>
    public void Add(IEnumerable<TItem> items) => found.AddRange(items);

    /// <summary>The page.</summary>
    public NodePage Build<TRow>(string node, Func<TItem, TRow> describe, JsonTypeInfo<TRow> type)
    {
        var page = NodePages.Select(node, query with { Skip = query.Skip - skipped }, found, describe, type);
        return page with { Found = page.Found + skipped };
    }
}
