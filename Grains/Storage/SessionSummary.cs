namespace Broker.Grains.Storage;

/// <summary>The part of a session's header that the client registry keeps for every client. Times are Unix milliseconds.</summary>
internal sealed record SessionSummary(
    string ClientId,
    byte ProtocolVersion,
    uint ExpiryIntervalSeconds,
    bool IsConnected,
    long CreatedAt)
{
    /// <summary>When its last connection ended; null if it has none yet or has one now.</summary>
    public long? DisconnectedAt { get; init; }

    /// <summary>The user name of the last CONNECT; null without one.</summary>
    public string? UserName { get; init; }
}
