using System.Net;
using Broker.Grains.Cluster;
using Broker.Grains.Interfaces.Clients;
using Broker.Grains.Interfaces.Nodes;
using Broker.Grains.Interfaces.Routing;
using Broker.Grains.Interfaces.Sessions;
using Broker.Grains.Storage;

namespace Broker.Grains.Clients;

/// <summary>The durable sessions whose clients are not connected, for the registry partitions of this process.</summary>
/// <remarks>What a session holds is asked of itself, if it is the only one that is wanted: that brings it into memory.</remarks>
internal sealed class AbsentClients(LocalClientRegistries partitions, BrokerStore store, ShardMap map, IGrainFactory grains, TimeProvider time) : INodeResource
{
    /// <summary>Less than those wait who ask for the client.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromMilliseconds(500);

    public string Resource => NodeResources.AbsentClients;

    public async ValueTask<NodePage> ReadAsync(string node, NodeQuery query)
    {
        if (query is { Filters: [], Limit: 0 }) return new NodePage(node, [], partitions.All().Sum(partition => (long)partition.AbsentCount), HasMore: false);
        var filter = new ClientFilter(query.Filters);
        if (query.Filters.Any(one => one is { Key: "conn_state", Value: "connected" } or { Key: "clean_start", Value: "true" })) return new NodePage(node, [], 0, HasMore: false);
        var wanted = query.Filters.FirstOrDefault(one => one.Key == "clientid").Value;
        var page = new PageBuilder<AbsentClient>(query);
        if (wanted is not null && await FindAsync(wanted) is { } one && filter.Matches(one)) page.Add([one]);
        foreach (var number in wanted is null ? partitions.Numbers() : [])
        {
            if (page.IsFull) break;
            if (partitions.Find(number) is not { } partition || page.Passes(partition.AbsentCount)) continue;
            var sessions = await store.ListSessionsAsync(number);
            page.Add(sessions.Where(session => partition.IsAbsent(session.ClientId)).Select(session => new AbsentClient(session)).Where(filter.Matches));
        }

        return page.Build(node, client => client.Describe(node, time.LocalTimeZone), ClientJson.Default.ClientRow);
    }

    private async Task<AbsentClient?> FindAsync(string clientId)
    {
        var number = map.PartitionOf(clientId);
        if (partitions.Find(number)?.IsAbsent(clientId) != true || (await store.ListSessionsAsync(number)).FirstOrDefault(session => session.ClientId == clientId) is not { } session) return null;
        return new AbsentClient(session) { Contents = await AskAsync(clientId) };
    }

    /// <returns>Null if it does not answer: that there is the client is worth more than what it holds.</returns>
    private async Task<ExplainedSession?> AskAsync(string clientId)
    {
        var asking = grains.GetGrain<ISessionGrain>(SessionKey.Of(clientId)).Explain([]);
        asking.Ignore();
        try
        {
            return await asking.WaitAsync(Patience, time);
        }
        catch (Exception fault) when (PassingFault.Is(fault))
        {
            return null;
        }
    }

    private sealed record AbsentClient(SessionSummary Session) : IListedClient
    {
        /// <summary>What it holds; null if it was not asked.</summary>
        public ExplainedSession? Contents { get; init; }

        public string ClientId => Session.ClientId;

        public string? UserName => Session.UserName;

        public IPAddress? Address => null;

        public bool IsConnected => false;

        public bool CleanStart => false;

        public int ProtocolVersion => Session.ProtocolVersion;

        /// <inheritdoc/>
        /// <remarks>When it was connected last is not stored.</remarks>
        public long ConnectedAt => CreatedAt;

        public long CreatedAt => Session.CreatedAt / 1000;

        /// <inheritdoc/>
        /// <remarks>In lists what waits for it is in the store and not counted.</remarks>
        public int Queued => Contents?.Queued ?? 0;

        public long Dropped => Contents?.Dropped ?? 0;

        public ClientRow Describe(string node, TimeZoneInfo zone) => new()
        {
            Node = node,
            ClientId = ClientId,
            UserName = UserName ?? ClientRow.Undefined,
            ProtoName = ClientRow.ProtocolNameOf(ProtocolVersion),
            ProtoVer = ProtocolVersion,
            ConnectedAt = Format(Session.CreatedAt, zone), // as far as is known
            DisconnectedAt = Session.DisconnectedAt is { } at ? Format(at, zone) : null,
            CreatedAt = Format(Session.CreatedAt, zone),
            ExpiryInterval = Session.ExpiryIntervalSeconds,
            SubscriptionsCnt = Contents?.SubscriptionCount ?? 0,
            Inflight = Contents?.Inflight ?? 0,
            MaxInflight = Contents?.MaxInflight ?? 0,
            MqueueLen = Queued,
            MaxMqueue = Contents?.MaxQueued ?? 0,
            MqueueDropped = Dropped,
        };

        private static string Format(long milliseconds, TimeZoneInfo zone) => LocalTime.Format(DateTimeOffset.FromUnixTimeMilliseconds(milliseconds), zone);
    }
}
