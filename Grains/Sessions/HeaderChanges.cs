using Broker.Grains.Interfaces.Messages;
using Broker.Grains.Interfaces.Sessions;
using Broker.Grains.Storage;

namespace Broker.Grains.Sessions;

/// <summary>What becomes of a session's header when connections come and go.</summary>
internal static class HeaderChanges
{
    /// <summary>A connection has opened the session.</summary>
    public static SessionHeader OpenedBy(this SessionHeader header, OpenSessionRequest request) => header with
    {
        ProtocolVersion = request.ProtocolVersion,
        ExpiryIntervalSeconds = request.ExpirySeconds,
        UserName = request.UserName,
        IsConnected = true,
        DisconnectedAt = null,
        ExpiresAt = null,
        SentUpTo = null,
        Will = request.Will?.Message,
        WillDelaySeconds = request.Will?.DelaySeconds ?? 0,
        WillExpirySeconds = request.Will?.ExpirySeconds,
        WillDueAt = null, // reconnected in time: an earlier will is not published [MQTT-3.1.3-9]
    };

    /// <summary>The session's connection has ended.</summary>
    /// <param name="will">What is still to be published after its delay; null for nothing.</param>
    /// <param name="sentUpTo">The highest sequence number that was sent.</param>
    public static SessionHeader LeftAt(this SessionHeader header, long now, uint expiry, ApplicationMessage? will, long sentUpTo) => header with
    {
        IsConnected = false,
        SentUpTo = sentUpTo,
        DisconnectedAt = now,
        ExpiryIntervalSeconds = expiry,
        ExpiresAt = expiry == SessionHeader.NeverExpires ? null : now + expiry * 1000L,
        Will = will,
        WillDueAt = will is null ? null : now + header.WillDelaySeconds * 1000L,
    };

    /// <summary>The will that the header holds; null if it holds none.</summary>
    public static Will? PendingWill(this SessionHeader header) =>
        header.Will is null ? null : new Will(header.Will, header.WillDelaySeconds, header.WillExpirySeconds);
}
