using System.Collections.Concurrent;
using Broker.Grains.Interfaces.Nodes;

namespace Broker.Gateway.Admin;

/// <summary>What the processes of the cluster have answered to one question.</summary>
/// <param name="Pages">Of those that have answered and have a gateway, in an order that stays.</param>
/// <param name="Unavailable">The names of those that have not answered in time, or their addresses.</param>
internal sealed record NodeAnswers(NodePage[] Pages, string[] Unavailable);

/// <summary>A page of what the whole cluster holds.</summary>
/// <param name="Count">How many there are in all; null if that is not known.</param>
internal sealed record ClusterPage(IReadOnlyList<byte[]> Rows, long? Count, bool HasMore, string[] Unavailable)
{
    /// <summary>Why there is none; null if there is.</summary>
    public string? Fault { get; init; }
}

/// <summary>Asks the processes of the cluster. One that is slow or dead costs an answer its part, and two seconds.</summary>
internal sealed class ClusterNodes(INodeClient nodes, ILocalNode self, TimeProvider time)
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(2);

    /// <summary>The names of processes: they have the same one all their lives.</summary>
    private readonly ConcurrentDictionary<SiloAddress, string> names = new();

    /// <summary>Asks all processes at once.</summary>
    public async Task<NodeAnswers> ReadAllAsync(NodeQuery query)
    {
        var members = Members();
        using var deadline = new CancellationTokenSource(Patience, time);
        var pages = await Task.WhenAll(members.Select(member => ReadAsync(member, query, deadline.Token)));
        return new NodeAnswers(
            [.. pages.OfType<NodePage>().Where(page => page.Node.Length > 0)],
            [.. members.Zip(pages).Where(pair => pair.Second is null).Select(pair => NameOf(pair.First))]);
    }

    /// <summary>Asks the process of a name.</summary>
    /// <returns>Its answer, or null and whether there is such a process.</returns>
    public async Task<(NodePage? Page, bool IsKnown)> ReadOneAsync(string node, NodeQuery query)
    {
        using var deadline = new CancellationTokenSource(Patience, time);
        var member = await FindAsync(node, deadline.Token);
        return member is null ? (null, false) : (await ReadAsync(member, query, deadline.Token), true);
    }

    /// <summary>Asks the process at an address.</summary>
    /// <returns>Null if it does not answer.</returns>
    public async Task<NodePage?> ReadAtAsync(SiloAddress node, NodeQuery query)
    {
        using var deadline = new CancellationTokenSource(Patience, time);
        return await ReadAsync(node, query, deadline.Token);
    }

    /// <summary>Gathers a page from one process after the other, in an order that stays.</summary>
    /// <remarks>Half of the time is for finding out who answers, and how many each has, the other half for what they have.</remarks>
    public async Task<ClusterPage> PageAsync(NodeQuery query)
    {
        var members = Members();
        var counts = await CountAsync(members, query.Resource);
        using var deadline = new CancellationTokenSource(Patience / 2, time);
        var isFiltered = query.Filters.Length > 0;
        var unavailable = new List<string>();
        var rows = new List<byte[]>();
        var (skip, hasMore) = (query.Skip, false);
        for (var at = 0; at < members.Length && !hasMore; at++)
        {
            var (count, left) = (counts[at], query.Limit - rows.Count);
            if (!isFiltered && count is { } all && (all <= skip || left == 0))
            {
                hasMore = all > skip;
                skip -= Math.Min(skip, all);
                continue;
            }

            var page = count is null ? null : await ReadAsync(members[at], query with { Skip = skip, Limit = left }, deadline.Token);
            if (page is null)
            {
                unavailable.Add(NameOf(members[at]));
                continue;
            }

            if (page.Fault is { } fault) return new ClusterPage([], null, false, []) { Fault = fault };
            rows.AddRange(page.Rows);
            hasMore = page.HasMore || (left == 0 && page.Found > skip);
            skip -= Math.Min(skip, page.Found);
        }

        return new ClusterPage(rows, isFiltered ? null : counts.Sum(count => count ?? 0), hasMore, [.. unavailable]);
    }

    /// <returns>How many each process has; null for one that does not answer.</returns>
    private async Task<long?[]> CountAsync(SiloAddress[] members, string resource)
    {
        using var deadline = new CancellationTokenSource(Patience / 2, time);
        var pages = await Task.WhenAll(members.Select(member => ReadAsync(member, new NodeQuery(resource, [], Limit: 0), deadline.Token)));
        return [.. pages.Select(page => page?.Found)];
    }

    /// <summary>Tells all processes to do something.</summary>
    /// <returns>What they have done, and the names of those that have not answered in time.</returns>
    public async Task<(NodeResult[] Results, string[] Unavailable)> DoAllAsync(NodeCommand command)
    {
        var members = Members();
        using var deadline = new CancellationTokenSource(Patience, time);
        var results = await Task.WhenAll(members.Select(member => DoAsync(member, command, deadline.Token)));
        return ([.. results.OfType<NodeResult>()], [.. members.Zip(results).Where(pair => pair.Second is null).Select(pair => NameOf(pair.First))]);
    }

    /// <summary>Tells the process of a name to do something.</summary>
    /// <inheritdoc cref="ReadOneAsync" path="/returns"/>
    public async Task<(NodeResult? Result, bool IsKnown)> DoOneAsync(string node, NodeCommand command)
    {
        using var deadline = new CancellationTokenSource(Patience, time);
        var member = await FindAsync(node, deadline.Token);
        return member is null ? (null, false) : (await DoAsync(member, command, deadline.Token), true);
    }

    private SiloAddress[] Members() => [.. nodes.Members.Order()];

    private string NameOf(SiloAddress member) => names.GetValueOrDefault(member) ?? member.ToParsableString();

    private async Task<SiloAddress?> FindAsync(string node, CancellationToken cancellation)
    {
        var members = Members();
        var unknown = members.Where(member => !names.ContainsKey(member));
        await Task.WhenAll(unknown.Select(member => ReadAsync(member, new NodeQuery("nodes", [], Limit: 0), cancellation)));
        return members.FirstOrDefault(member => names.GetValueOrDefault(member) == node);
    }

    private async Task<NodePage?> ReadAsync(SiloAddress member, NodeQuery query, CancellationToken cancellation)
    {
        var page = await AskAsync(() => member.Equals(nodes.Self) ? Task.Run(() => self.ReadAsync(query), cancellation) : nodes.At(member).Read(query), cancellation);
        if (page is not null) names[member] = page.Node;
        return page;
    }

    private Task<NodeResult?> DoAsync(SiloAddress member, NodeCommand command, CancellationToken cancellation) =>
        AskAsync(() => member.Equals(nodes.Self) ? Task.Run(() => self.DoAsync(command), cancellation) : nodes.At(member).Do(command), cancellation);

    private static async Task<T?> AskAsync<T>(Func<Task<T>> call, CancellationToken cancellation)
        where T : class
    {
        try
        {
            return await call().WaitAsync(cancellation);
        }
        catch (Exception) // whatever a call to another process throws: it has not answered
        {
            return null;
        }
    }
}
