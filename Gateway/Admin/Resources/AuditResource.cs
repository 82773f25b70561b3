using Broker.Gateway.Admin.Audit;
using Broker.Grains.Interfaces.Nodes;

namespace Broker.Gateway.Admin.Resources;

/// <summary>What was changed over this process.</summary>
internal sealed class LocalAudit(AuditLog log) : INodeResource
{
    public const string Name = "audit";

    public string Resource => Name;

    public ValueTask<NodePage> ReadAsync(string node, NodeQuery query)
    {
        var rows = new List<byte[]>();
        var count = 0L;
        foreach (var (_, row) in log.Read(new AuditFilter(query.Filters)))
        {
            if (count++ >= query.Skip && rows.Count < query.Limit) rows.Add(row);
        }

        return ValueTask.FromResult(new NodePage(node, [.. rows], count, count > query.Skip + rows.Count));
    }
}

/// <summary>`/api/v5/audit`: who changed what, when, and from where, on all nodes, the newest first.</summary>
internal sealed class AuditResource(ClusterNodes nodes) : IApiResource
{
    private const int UsualLimit = 100;
    private const int MaxLimit = 1000;

    public IEnumerable<ApiEndpoint> Endpoints =>
    [
        new("GET", "/audit", "list_audit", "Who changed what, when, and from where", ListAsync) { Version = 5, Filters = AuditFilter.Known, IsPaged = true },
    ];

    private async Task<ApiAnswer> ListAsync(ApiCall call)
    {
        var asked = call.Paging(UsualLimit);
        var paging = asked with { Limit = Math.Min(asked.Limit, MaxLimit) };
        // The page may be one node's alone: each says its newest up to the page's end.
        var upTo = (int)Math.Min(paging.Skip + paging.Limit, int.MaxValue);
        var answers = await nodes.ReadAllAsync(new NodeQuery(LocalAudit.Name, call.Filters(AuditFilter.Known), Limit: upTo));
        if (answers.Pages.FirstOrDefault(page => page.Fault is not null) is { Fault: { } fault }) return ApiAnswer.Fault(ResultCode.BadParameter, fault);
        var count = answers.Pages.Sum(page => page.Found);
        byte[][] rows = [.. answers.Pages.SelectMany(page => page.Rows).OrderByDescending(row => AuditTime.Of(row), StringComparer.Ordinal).Skip((int)Math.Min(paging.Skip, int.MaxValue)).Take(paging.Limit)];
        return ApiAnswer.Page(new ClusterPage(rows, count, count > paging.Skip + rows.Length, answers.Unavailable), paging, tellsMore: true);
    }
}
