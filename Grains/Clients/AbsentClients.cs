using System.Net;
using Broker.Grains.Interfaces.Clients;
using Broker.Grains.Interfaces.Nodes;
using Broker.Grains.Interfaces.Routing;
using Broker.Grains.Storage;

namespace Broker.Grains.Clients;

/// <summary>The durable sessions whose clients are not connected, for the registry partitions of this process.</summary>
internal sealed class AbsentClients(LocalClientRegistries partitions, BrokerStore store, ShardMap map, TimeProvider time) : INodeResource
{
    public string Resource => NodeResources.AbsentClients;

    public async ValueTask<NodePage> ReadAsync(string node, NodeQuery query)
    {
        if (query is { Filters: [], Limit: 0 }) return new NodePage(node, [], partitions.All().Sum(partition => (long)partition.AbsentCount), HasMore: false);
        var filter = new ClientFilter(query.Filters);
        if (query.Filters.Any(one => one is { Key: "conn_state", Value: "connected" } or { Key: "clean_start", Value: "true" })) return new NodePage(node, [], 0, HasMore: false);
        var wanted = query.Filters.FirstOrDefault(one => one.Key == "clientid").Value;
        var page = new PageBuilder<AbsentClient>(query);
        foreach (var number in wanted is null ? partitions.Numbers() : [map.PartitionOf(wanted)])
        {
            if (page.IsFull) break;
            if (partitions.Find(number) is not { } partition || page.Passes(partition.AbsentCount)) continue;
            var sessions = await store.ListSessionsAsync(number);
            page.Add(sessions.Where(session => partition.IsAbsent(session.ClientId)).Select(session => new AbsentClient(session)).Where(filter.Matches));
        }

        return page.Build(node, client => client.Describe(node, time.LocalTimeZone), ClientJson.Default.ClientRow);
    }

    private sealed record AbsentClient(SessionSummary Session) : IListedClient
    {
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
        /// <remarks>What waits for it is in the store and not counted.</remarks>
        public int Queued => 0;

        public long Dropped => 0;

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
        };

        private static string Format(long milliseconds, TimeZoneInfo zone) => LocalTime.Format(DateTimeOffset.FromUnixTimeMilliseconds(milliseconds), zone);
    }
}
