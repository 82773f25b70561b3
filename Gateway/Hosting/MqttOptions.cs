using System.ComponentModel.DataAnnotations;
using Broker.Gateway.Mqtt.Limits;
using Broker.Grains.Interfaces.Messages;
using Broker.Grains.Interfaces.Sessions;

namespace Broker.Gateway.Hosting;

/// <summary>How the broker speaks MQTT. Names and defaults follow EMQ X 4.x's zone and mqtt keys where it has them.</summary>
internal sealed class MqttOptions : SessionOptions
{
    /// <summary>Largest packet accepted, in bytes; 5.0 clients are told. Over it: 0x95, before the body is buffered.</summary>
    [Range(1024, 268_435_460)]
    public int MaxPacketSize { get; set; } = 1024 * 1024;

    /// <summary>Longest client identifier, in characters. Over it: 0x85.</summary>
    [Range(23, 65_535)]
    public int MaxClientIdLength { get; set; } = 65_535;

    /// <summary>Most levels of a topic name or filter; 0 is no limit. Over it: publish 0x90, subscribe 0x8F.</summary>
    [Range(0, 65_535)]
    public int MaxTopicLevels { get; set; } = 128;

    /// <summary>Highest QoS a client may publish with. Over it: 0x9B.</summary>
    [Range(0, 2)]
    public int MaxQos { get; set; } = 2;

    /// <summary>Highest topic alias a client may set; 0 turns them off.</summary>
    [Range(0, 65_535)]
    public int MaxTopicAlias { get; set; } = 65_535;

    /// <summary>Whether messages may be retained. If not: 0x9A.</summary>
    public bool RetainAvailable { get; set; } = true;

    /// <summary>Whether filters may hold wildcards. If not: SUBACK 0xA2.</summary>
    public bool WildcardSubscription { get; set; } = true;

    /// <summary>Whether subscriptions may be shared. If not: SUBACK 0x9E.</summary>
    public bool SharedSubscription { get; set; } = true;

    /// <summary>Whether there are exclusive subscriptions, `$exclusive/…`, which one session in the cluster may have. If not: SUBACK 0x8F.</summary>
    public bool ExclusiveSubscription { get; set; }

    /// <summary>Whether subscriptions may carry identifiers. If not: DISCONNECT 0xA1.</summary>
    public bool SubscriptionIdentifiers { get; set; } = true;

    /// <summary>Treat every subscription of a 3.x client as no-local.</summary>
    public bool IgnoreLoopDeliver { get; set; }

    /// <summary>Close the connection at a malformed topic filter instead of refusing that filter alone.</summary>
    public bool StrictMode { get; set; }

    /// <summary>Prefix of response topics, told to 5.0 clients that ask; null tells nothing.</summary>
    [RegularExpression(@"[^\x00]{0,16383}")] // as UTF-8 it fits into a string of the protocol
    public string? ResponseInformation { get; set; }

    /// <summary>How long a connection may be open without CONNECT.</summary>
    [Range(typeof(TimeSpan), "00:00:00.1", "01:00:00")]
    public TimeSpan IdleTimeout { get; set; } = TimeSpan.FromSeconds(15);

    /// <summary>Keep alive in seconds that replaces a 5.0 client's own; null leaves it.</summary>
    [Range(1, 65_535)]
    public int? ServerKeepAlive { get; set; }

    /// <summary>A silent client is cut after twice this factor times its keep alive. 0.75 gives the standard's one and a half. [MQTT-3.1.2-22]</summary>
    [Range(0.5, 10.0)]
    public double KeepAliveBackoff { get; set; } = 0.75;

    /// <summary>Most subscriptions of one client; 0 is no limit. Over it: SUBACK 0x97.</summary>
    [Range(0, int.MaxValue)]
    public int MaxSubscriptions { get; set; }

    /// <summary>Messages a client may send (EMQ X's `rate_limit.conn_messages_in`): `100/s`, `1000/10s`; empty is no limit. Over it the client is not read for a while.</summary>
    [Rate]
    public string MessageRate { get; set; } = "";

    /// <summary>Messages it may send at once after a silence; 0 is as many as in one period.</summary>
    [Range(0, TokenBucket.MaxBurst)]
    public long MessageBurst { get; set; }

    /// <summary>The same for bytes (`rate_limit.conn_bytes_in`): `100KB/s`.</summary>
    [Rate]
    public string ByteRate { get; set; } = "";

    /// <inheritdoc cref="MessageBurst"/>
    [Range(0, TokenBucket.MaxBurst)]
    public long ByteBurst { get; set; }

    /// <summary>What a client may have routed, a message and each of its destinations counting one (`quota.conn_messages_routing`). Over it: 0x97, QoS 0 is dropped, and 3.x is not read for a while.</summary>
    [Rate]
    public string RoutingQuota { get; set; } = "";

    /// <summary>The same for all clients of this process together (`quota.overall_messages_routing`).</summary>
    [Rate]
    public string OverallRoutingQuota { get; set; } = "";

    /// <summary>A 3.x client is sent again what it has not acknowledged after so long; zero never (5.0 forbids it). [MQTT-4.4.0-1]</summary>
    [Range(typeof(TimeSpan), "00:00:00", "1.00:00:00")]
    public TimeSpan RetryInterval { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>How many incoming QoS 1 and 2 messages of a 5.0 client may be incomplete: it is told, and over it: 0x93. [MQTT-3.3.4-7]</summary>
    /// <remarks>More QoS 1 messages than the default are not read from the socket at a time anyhow.</remarks>
    [Range(1, 65_535)]
    public int ReceiveMaximum { get; set; } = 1024;

    /// <summary>How long the session of a 3.x client with clean session 0 outlives its connection.</summary>
    [Range(typeof(TimeSpan), "00:00:01", "3650.00:00:00")]
    public TimeSpan SessionExpiryInterval { get; set; } = TimeSpan.FromHours(2);

    /// <summary>Longest session expiry interval granted to a 5.0 client; null grants what it asks.</summary>
    [Range(typeof(TimeSpan), "00:00:00", "49710.00:00:00")]
    public TimeSpan? MaxSessionExpiryInterval { get; set; }

    /// <summary>Prefix of every topic and filter of a client, taken off at delivery; `%c` is its client identifier, `%u` its user name.</summary>
    [RegularExpression(@"[^+#\x00]{0,1024}")]
    public string? Mountpoint { get; set; }

    /// <summary>Use the user name as client identifier.</summary>
    public bool UseUsernameAsClientId { get; set; }

    /// <summary>Bytes that may wait for one client's socket before it counts as slow and messages go to its queue.</summary>
    [Range(4096, 268_435_456)]
    public int HighWatermark { get; set; } = 1024 * 1024;

    /// <summary>How often $SYS topics are published; zero turns them off.</summary>
    [Range(typeof(TimeSpan), "00:00:00", "1.00:00:00")]
    public TimeSpan SysInterval { get; set; } = TimeSpan.FromMinutes(1);

    /// <summary>How often `$SYS/brokers/…/uptime` and `datetime` are published.</summary>
    [Range(typeof(TimeSpan), "00:00:01", "1.00:00:00")]
    public TimeSpan SysHeartbeat { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>The session expiry interval, in seconds, granted to a client that wants this one.</summary>
    public uint LimitExpiry(uint wanted) => MaxSessionExpiryInterval is { } most ? Math.Min(wanted, (uint)most.TotalSeconds) : wanted;

    /// <summary>What is in here for sessions, made once.</summary>
    public SessionDefaults Defaults => field ??= ToSessionDefaults();

    /// <summary><see cref="MaxQos"/> as a QoS.</summary>
    public Qos HighestQos => (Qos)MaxQos;
}
