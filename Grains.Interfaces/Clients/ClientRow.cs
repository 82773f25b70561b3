using System.Text.Json.Serialization;

namespace Broker.Grains.Interfaces.Clients;

/// <summary>A client as EMQ X 4.x's HTTP API shows it.</summary>
public sealed record ClientRow
{
    /// <summary>What EMQ X writes for what there is not.</summary>
    public const string Undefined = "undefined";

    /// <summary>There are no zones: all clients are in one.</summary>
    public const string OnlyZone = "external";

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

    public string Zone { get; init; } = OnlyZone;

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

    public static string ProtocolNameOf(int version) => version == 3 ? "MQIsdp" : "MQTT";
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(ClientRow))]
public sealed partial class ClientJson : JsonSerializerContext;
