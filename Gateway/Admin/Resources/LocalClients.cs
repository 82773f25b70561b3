using System.Globalization;
using System.Net;
using Broker.Gateway.Mqtt;
using Broker.Gateway.Security;
using Broker.Grains.Interfaces.Clients;
using Broker.Grains.Interfaces.Metrics;
using Broker.Grains.Interfaces.Nodes;

namespace Broker.Gateway.Admin.Resources;

/// <summary>The clients that are connected to this process.</summary>
internal sealed class LocalClients(ConnectionTable connections, ClientCommands commands, BrokerGauges gauges, TimeProvider time) : INodeResource
{
    public string Resource => NodeResources.Clients;

    public ValueTask<NodePage> ReadAsync(string node, NodeQuery query)
    {
        if (query is { Filters: [], Limit: 0 }) return ValueTask.FromResult(new NodePage(node, [], gauges.Read(Gauge.Connections), HasMore: false));
        var found = query.Filters is [{ Key: NodeResources.ConnectionFilter, Value: var number }]
            ? Matching(connections.Find(ulong.Parse(number, CultureInfo.InvariantCulture)) is { } one ? [one] : [], new ClientFilter([]))
            : Matching(connections.Enumerate(), new ClientFilter(query.Filters));
        return ValueTask.FromResult(NodePages.Select(node, query, found, client => Describe(node, client), ClientJson.Default.ClientRow));
    }

    public Task<NodeResult> DoAsync(string node, NodeCommand command) => commands.DoAsync(node, command);

    private static IEnumerable<ConnectedClient> Matching(IEnumerable<Connection> connections, ClientFilter filter)
    {
        foreach (var connection in connections)
        {
            if (connection is not { Phase: ConnectionPhase.Connected, Client: { } client, Session: not null }) continue;
            var one = new ConnectedClient(connection, client);
            if (filter.Matches(one)) yield return one;
        }
    }

    /// <summary>Its numbers are those of about now.</summary>
    private ClientRow Describe(string node, ConnectedClient one)
    {
        var (connection, client) = (one.Connection, one.Client);
        var (counts, traffic) = (connection.Session!.Counts, connection.Traffic);
        var connectedAt = LocalTime.Format(client.ConnectedAt, time.LocalTimeZone);
        var from = client.RemoteAddress as IPEndPoint;
        return new ClientRow
        {
            Node = node,
            ClientId = client.ClientId,
            UserName = client.UserName ?? ClientRow.Undefined,
            Mountpoint = connection.Mountpoint.Length == 0 ? ClientRow.Undefined : connection.Mountpoint,
            ProtoName = ClientRow.ProtocolNameOf((int)client.Version),
            ProtoVer = (int)client.Version,
            IpAddress = from is null ? ClientRow.Undefined : one.Address!.ToString(),
            Port = from?.Port ?? 0,
            Connected = true,
            ConnectedAt = connectedAt,
            CreatedAt = connectedAt,
            Keepalive = client.KeepAlive,
            CleanStart = client.CleanStart,
            ExpiryInterval = client.ExpirySeconds,
            SubscriptionsCnt = counts.Subscriptions,
            MaxSubscriptions = connection.Mqtt.MaxSubscriptions,
            Inflight = counts.Inflight,
            MaxInflight = counts.Limits?.MaxInflight ?? 0,
            MqueueLen = counts.Queued,
            MaxMqueue = counts.Limits?.MaxQueueLength ?? 0,
            MqueueDropped = counts.Dropped,
            AwaitingRel = counts.AwaitingRelease,
            MaxAwaitingRel = counts.Limits?.MaxAwaitingRelease ?? 0,
            RecvOct = traffic.BytesReceived,
            RecvCnt = traffic.Reads,
            RecvPkt = traffic.PacketsReceived,
            RecvMsg = traffic.MessagesReceived,
            SendOct = traffic.BytesSent,
            SendCnt = traffic.Writes,
            SendPkt = traffic.PacketsSent,
            SendMsg = traffic.MessagesSent,
        };
    }

    private sealed record ConnectedClient(Connection Connection, ClientInfo Client) : IListedClient
    {
        public string ClientId => Client.ClientId;

        public string? UserName => Client.UserName;

        public IPAddress? Address => (Client.RemoteAddress as IPEndPoint)?.Address is not { } address ? null : address.IsIPv4MappedToIPv6 ? address.MapToIPv4() : address;

        public bool IsConnected => true;

        public bool CleanStart => Client.CleanStart;

        public int ProtocolVersion => (int)Client.Version;

        public long ConnectedAt => Client.ConnectedAt.ToUnixTimeSeconds();

        public long CreatedAt => ConnectedAt;

        public int Queued => Connection.Session!.Counts.Queued;

        public long Dropped => Connection.Session!.Counts.Dropped;
    }
}
