using System.Net;
using System.Text.Json.Serialization;
using Broker.Gateway.Mqtt;
using Broker.Gateway.Mqtt.Packets;
using Broker.Gateway.Security;

namespace Broker.Gateway.Admin.Resources;

/// <summary>A client as EMQ X 4.x's HTTP API shows it.</summary>
internal sealed record ClientRow
{
    /// <summary>What EMQ X writes for what there is not.</summary>
    public const string Undefined = "undefined";

    public required string Node { get; init; }

    [JsonPropertyName("clientid")]
    public required string ClientId { get; init; }

    [JsonPropertyName("username")]
    public string UserName { get; init; } = Undefined;

    public string Mountpoint { get; init; } = Undefined;

    public string ProtoName { get; init; } = "MQTT";

    public int ProtoVer { get; init; }

    public string IpAddress { get; init; } = Undefined;

    public int Port { get; init; }

    public bool IsBridge { get; init; }

    public bool Connected { get; init; }

    public string? ConnectedAt { get; init; }

    public string? DisconnectedAt { get; init; }

    public required string CreatedAt { get; init; }

    public string Zone { get; init; } = "external";

    public int Keepalive { get; init; }

    public bool CleanStart { get; init; }

    public uint ExpiryInterval { get; init; }

    public int SubscriptionsCnt { get; init; }

    public int MaxSubscriptions { get; init; }

    public int Inflight { get; init; }

    public int MaxInflight { get; init; }

    public int MqueueLen { get; init; }

    public int MaxMqueue { get; init; }

    public long MqueueDropped { get; init; }

    public int AwaitingRel { get; init; }

    public int MaxAwaitingRel { get; init; }

    public long RecvOct { get; init; }

    public long RecvCnt { get; init; }

    public long RecvPkt { get; init; }

    public long RecvMsg { get; init; }

    public long SendOct { get; init; }

    public long SendCnt { get; init; }

    public long SendPkt { get; init; }

    public long SendMsg { get; init; }

    /// <summary>Always 0, as are the next two: clients have no process of their own here.</summary>
    public int MailboxLen { get; init; }

    public int HeapSize { get; init; }

    public int Reductions { get; init; }

    /// <summary>The client of a connection; its numbers are those of about now.</summary>
    public static ClientRow Of(string node, Connection connection, ClientInfo client, int maxSubscriptions, TimeZoneInfo zone)
    {
        var (counts, traffic) = (connection.Session!.Counts, connection.Traffic);
        var connectedAt = LocalTime.Format(client.ConnectedAt, zone);
        var from = client.RemoteAddress as IPEndPoint;
        return new ClientRow
        {
            Node = node,
            ClientId = client.ClientId,
            UserName = client.UserName ?? Undefined,
            Mountpoint = connection.Mountpoint.Length == 0 ? Undefined : connection.Mountpoint,
            ProtoName = ProtocolNameOf(client.Version),
            ProtoVer = (int)client.Version,
            IpAddress = from is null ? Undefined : AddressOf(from),
            Port = from?.Port ?? 0,
            Connected = true,
            ConnectedAt = connectedAt,
            CreatedAt = connectedAt,
            Keepalive = client.KeepAlive,
            CleanStart = client.CleanStart,
            ExpiryInterval = client.ExpirySeconds,
            SubscriptionsCnt = counts.Subscriptions,
            MaxSubscriptions = maxSubscriptions,
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

    public static string ProtocolNameOf(ProtocolVersion version) => version == ProtocolVersion.V31 ? "MQIsdp" : "MQTT";

    public static string AddressOf(IPEndPoint from) => (from.Address.IsIPv4MappedToIPv6 ? from.Address.MapToIPv4() : from.Address).ToString();
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(ClientRow))]
internal sealed partial class ClientJson : JsonSerializerContext;
