using Broker.Gateway.Links;
using Broker.Gateway.Mqtt;
using Broker.Gateway.Sessions;
using Broker.Grains.Interfaces.Nodes;
using Broker.Grains.Interfaces.Sessions;
using DotNetty.Common.Concurrency;

namespace Broker.Gateway.Admin.Resources;

/// <summary>The subscriptions of this process's transient sessions.</summary>
internal sealed class LocalSubscriptions(ConnectionTable connections) : INodeResource
{
    /// <summary>Sessions whose subscriptions are copied in one go on their event loop, which is held up for some 100 µs by that.</summary>
    private const int Together = 64;

    public string Resource => NodeResources.Subscriptions;

    public async ValueTask<NodePage> ReadAsync(string node, NodeQuery query)
    {
        if (query is { Filters: [], Limit: 0 }) return new NodePage(node, [], Sessions().Sum(one => (long)one.Session.SubscriptionCount), HasMore: false);
        var filter = new SubscriptionFilter(query.Filters);
        var page = new PageBuilder<SubscriptionRow>(query);
        foreach (var group in Sessions().Where(one => one.Session.SubscriptionCount > 0 && filter.MayHave(one.ClientId)).Chunk(Together))
        {
            if (page.IsFull) break;
            if (page.Passes(group.Sum(one => one.Session.SubscriptionCount))) continue;
            foreach (var ofLoop in group.GroupBy(one => one.Loop))
            {
                foreach (var (clientId, subscriptions) in await CopyAsync(ofLoop.Key, [.. ofLoop]))
                {
                    page.Add(subscriptions.Where(one => filter.Matches(clientId, one.Filter, one.Options)).Select(one => SubscriptionRow.Of(node, clientId, one.Filter, one.Options)));
                }
            }

        }

        return page.Build(node, row => row, SubscriptionJson.Default.SubscriptionRow);
    }

    private IEnumerable<(LoopContext Loop, string ClientId, TransientSession Session)> Sessions()
    {
        foreach (var connection in connections.Enumerate())
        {
            if (connection is { Phase: ConnectionPhase.Connected, Client: { } client, Session: TransientSession session }) yield return (connection.Loop, client.ClientId, session);
        }
    }

    private static async Task<(string ClientId, Subscription[] Subscriptions)[]> CopyAsync(LoopContext loop, (LoopContext Loop, string ClientId, TransientSession Session)[] sessions)
    {
        try
        {
            return await loop.AskAsync(() => Array.ConvertAll(sessions, one => (one.ClientId, one.Session.CopySubscriptions())));
        }
        catch (RejectedExecutionException)
        {
            return []; // the gateway stops
        }
    }
}
