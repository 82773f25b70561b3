using Broker.Grains.Interfaces.Messages;

namespace Broker.Grains.Storage;

/// <summary>What is known of a durable session besides its subscriptions, queue and receipts. Times are Unix milliseconds.</summary>
internal sealed record SessionHeader
{
    /// <summary>Session expiry interval that never ends. [MQTT-3.1.2.11.2]</summary>
    public const uint NeverExpires = uint.MaxValue;

    /// <summary>The client identifier; unique, and not changed by saving.</summary>
    public required string ClientId { get; init; }

    /// <summary>The client registry's partition, computed by the caller; not changed by saving.</summary>
    public required int Partition { get; init; }

    /// <summary>Protocol level of the last CONNECT: 3, 4 or 5.</summary>
    public byte ProtocolVersion { get; init; }

    /// <summary>Session expiry interval in seconds; <see cref="NeverExpires"/> for ever.</summary>
    public uint ExpiryIntervalSeconds { get; init; }

    /// <summary>True while the session has a connection, as far as the store was told.</summary>
    public bool IsConnected { get; init; }

    /// <summary>When the session was created; not changed by saving.</summary>
    public long CreatedAt { get; init; }

    /// <summary>When its last connection ended; null if it has none yet or has one now.</summary>
    public long? DisconnectedAt { get; init; }

    /// <summary>Deliveries behind this sequence number were never sent; null while nobody knows, as the session is or was connected.</summary>
    public long? SentUpTo { get; init; }

    /// <summary>The user name of the last CONNECT; null without one.</summary>
    public string? UserName { get; init; }

    /// <summary>The will message; null when there is none or it was published.</summary>
    public ApplicationMessage? Will { get; init; }

    /// <summary>Will delay interval in seconds.</summary>
    public uint WillDelaySeconds { get; init; }

    /// <summary>Message expiry interval of the will in seconds, counted from its publication; null is for ever.</summary>
    public uint? WillExpirySeconds { get; init; }

    /// <summary>When a delayed will is to be published; null when none is due.</summary>
    public long? WillDueAt { get; init; }

    /// <summary>When the session ends; null while it is connected or if it never does.</summary>
    public long? ExpiresAt { get; init; }

    /// <summary>The earlier of <see cref="WillDueAt"/> and <see cref="ExpiresAt"/>: what <see cref="BrokerStore.ListDueAsync"/> asks for.</summary>
    public long? DueAt => WillDueAt is { } will && ExpiresAt is { } end ? Math.Min(will, end) : WillDueAt ?? ExpiresAt;
}
