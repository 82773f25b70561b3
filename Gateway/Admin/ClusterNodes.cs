using Broker.Grains.Interfaces.Nodes;

namespace Broker.Gateway.Admin;

/// <summary>What the processes of the cluster have answered to one question.</summary>
/// <param name="Pages">Of those that have answered, in an order that stays.</param>
/// <param name="Unavailable">The names of those that have not answered in time.</param>
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
    /// <summary>How long those who ask wait for a process that does not answer.</summary>
    public static readonly TimeSpan Patience = TimeSpan.FromSeconds(2);


    /// <summary>Asks all processes at once.</summary>
    public async Task<NodeAnswers> ReadAllAsync(NodeQuery query)
    {
        var members = nodes.Members;
        using var deadline = new CancellationTokenSource(Patience, time);
        var pages = await Task.WhenAll(members.Select(member => ReadAsync(member.Address, query, deadline.Token)));
        return new NodeAnswers(
            [.. pages.OfType<NodePage>()],
            [.. members.Zip(pages).Where(pair => pair.Second is null).Select(pair => pair.First.Name)]);
    }

    /// <summary>Asks the process of a name.</summary>
    /// <returns>Its answer, or null and whether there is such a process.</returns>
    public async Task<(NodePage? Page, bool IsKnown)> ReadOneAsync(string node, NodeQuery query)
    {
        using var deadline = new CancellationTokenSource(Patience, time);
        return Find(node) is { } member ? (await ReadAsync(member, query, deadline.Token), true) : (null, false);
    }

    /// <summary>Asks the process at an address.</summary>
    /// <returns>Null if it does not answer.</returns>
    public async Task<NodePage?> ReadAtAsync(SiloAddress node, NodeQuery query)
    {
        using var deadline = new CancellationTokenSource(Patience, time);
        return await ReadAsync(node, query, deadline.Token);
    }

    /// <summary>Gathers a page from one process after the other, and from one kind of thing after the other, in an order that stays.</summary>
    /// <remarks>Half of the time is for finding out who answers, and how many each has, the other half for what they have.</remarks>
    /// <param name="node">Only what the process of this name holds.</param>
    /// <param name="countsFound">Counts what there is with the filters too; every process looks through all that it has.</param>
    /// <returns>Null if there is no such process.</returns>
    public async Task<ClusterPage?> PageAsync(string[] resources, KeyValuePair<string, string>[] filters, Paging paging, string? node = null, bool countsFound = false)
    {
        var members = node is null ? nodes.Members : Array.FindAll(nodes.Members, member => member.Name == node);
        if (members.Length == 0) return null;
        (NodeMember Node, string Resource)[] sources = [.. resources.SelectMany(_ => members, (resource, member) => (member, resource))];
        var counts = await CountAsync(sources, countsFound ? filters : []);
        using var deadline = new CancellationTokenSource(Patience / 2, time);
        var unavailable = new HashSet<string>();
        var rows = new List<byte[]>();
        var (skip, hasMore) = (paging.Skip, false);
        for (var at = 0; at < sources.Length && !hasMore; at++)
        {
            var ((member, resource), count, left) = (sources[at], counts[at], paging.Limit - rows.Count);
            if (filters.Length == 0 && count is { } all && (all <= skip || left == 0))
            {
                hasMore = all > skip;
                skip -= Math.Min(skip, all);
                continue;
            }

            var page = count is null ? null : await ReadAsync(member.Address, new NodeQuery(resource, filters, skip, left), deadline.Token);
            if (page is null)
            {
                unavailable.Add(member.Name);
                continue;
            }

            if (page.Fault is { } fault) return new ClusterPage([], null, false, []) { Fault = fault };
            rows.AddRange(page.Rows);
            hasMore = page.HasMore || (left == 0 && page.Found > skip);
            skip -= Math.Min(skip, page.Found);
        }

        return new ClusterPage(rows, filters.Length > 0 && !countsFound ? null : counts.Sum(count => count ?? 0), hasMore, [.. unavailable]);
    }

    /// <returns>How many each has; null where a process does not answer.</returns>
    private async Task<long?[]> CountAsync((NodeMember Node, string Resource)[] sources, KeyValuePair<string, string>[] filters)
    {
        using var deadline = new CancellationTokenSource(Patience / 2, time);
        var pages = await Task.WhenAll(sources.Select(source => ReadAsync(source.Node.Address, new NodeQuery(source.Resource, filters, Limit: filters.Length > 0 ? NodeQuery.Count : 0), deadline.Token)));
        return [.. pages.Select(page => page?.Found)];
    }

    /// <summary>Tells all processes to do something.</summary>
    /// <returns>What they have done, and the names of those that have not answered in time.</returns>
    public async Task<(NodeResult[] Results, string[] Unavailable)> DoAllAsync(NodeCommand command)
    {
        var members = nodes.Members;
        using var deadline = new CancellationTokenSource(Patience, time);
        var results = await Task.WhenAll(members.Select(member => DoAsync(member.Address, command, deadline.Token)));
        return ([.. results.OfType<NodeResult>()], [.. members.Zip(results).Where(pair => pair.Second is null).Select(pair => pair.First.Name)]);
    }

    /// <summary>Tells the process at an address to do something.</summary>
    /// <returns>Null if it does not answer.</returns>
    public async Task<NodeResult?> DoAtAsync(SiloAddress node, NodeCommand command)
    {
        using var deadline = new CancellationTokenSource(Patience, time);
        return await DoAsync(node, command, deadline.Token);
    }

    /// <summary>Tells the process of a name to do something.</summary>
    /// <inheritdoc cref="ReadOneAsync" path="/returns"/>
    public async Task<(NodeResult? Result, bool IsKnown)> DoOneAsync(string node, NodeCommand command)
    {
        using var deadline = new CancellationTokenSource(Patience, time);
        return Find(node) is { } member ? (await DoAsync(member, command, deadline.Token), true) : (null, false);
    }

    /// <summary>The address of a process.</summary>
    private SiloAddress? Find(string node) => Array.Find(nodes.Members, member => member.Name == node).Address;

    private Task<NodePage?> ReadAsync(SiloAddress member, NodeQuery query, CancellationToken cancellation) =>
        AskAsync(() => member.Equals(nodes.Self) ? Task.Run(() => self.ReadAsync(query), cancellation) : nodes.At(member).Read(query), cancellation);

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
