using Broker.Grains.Interfaces.Clients;
using Broker.Grains.Interfaces.Messages;
using Broker.Grains.Interfaces.Topics;
using Orleans.Concurrency;

namespace Broker.Grains.Interfaces.Sessions;

/// <summary>Owns one durable session. Key: `c:` and the client identifier (a bare one could look like a number to grain storage).</summary>
/// <remarks>What a connection does often it does through <see cref="ILocalSession"/> when the grain is in its process.</remarks>
[Alias("ISessionGrain")]
public interface ISessionGrain : IGrainWithStringKey
{
    /// <summary>Opens the session for a connection: loads or creates it, and forgets an old one on clean start.</summary>
    [Alias("Open")]
    Task<OpenSessionResult> Open(OpenSessionRequest request);

    /// <summary>The connection has ended.</summary>
    [Alias("Close")]
    Task Close(CloseSessionRequest request);

    /// <summary>Adds or changes subscriptions; on return they are stored and every shard routes to them.</summary>
    /// <returns>A code for each: the granted QoS or why not, and whether it is new.</returns>
    [Alias("Subscribe")]
    Task<SubscribeResult[]> Subscribe([Immutable] Subscription[] subscriptions);

    /// <summary>Removes subscriptions.</summary>
    /// <returns>A code for each: success, or no subscription existed (0x11).</returns>
    [Alias("Unsubscribe")]
    Task<ReasonCode[]> Unsubscribe([Immutable] TopicFilter[] filters);

    /// <summary>Takes messages from a shard in another process.</summary>
    /// <returns>A code for each when it is stored.</returns>
    /// <remarks>Also while another call waits: a session may be subscribed to its own will's topic.</remarks>
    [AlwaysInterleave, Alias("Enqueue")]
    Task<ReasonCode[]> Enqueue(SessionBatch batch);

    /// <summary>Does what has come due: publishes the delayed will, ends the expired session.</summary>
    [Alias("HandleDue")]
    Task HandleDue();

    /// <summary>Ends the session for good, with all that it holds.</summary>
    /// <returns>Success, also if there is none; ServerUnavailable if the store cannot tell.</returns>
    [Alias("Discard")]
    Task<ReasonCode> Discard();

    /// <summary>How it stands, for whoever asks what would become of a message.</summary>
    /// <param name="subscriptions">The numbers of the subscriptions that would match.</param>
    /// <returns>Null if there is no session.</returns>
    [Alias("Explain")]
    Task<ExplainedSession?> Explain([Immutable] ulong[] subscriptions);
}

/// <summary>A session as it stands.</summary>
/// <param name="Subscriptions">Those that were asked for and exist.</param>
/// <param name="IsConnected">Whether its client is there.</param>
/// <param name="Queued">Messages that wait.</param>
/// <param name="MaxQueued">Most that may; 0 is no bound.</param>
[GenerateSerializer, Immutable, Alias("ExplainedSession")]
public sealed record ExplainedSession([property: Id(0)] Subscription[] Subscriptions, [property: Id(1)] bool IsConnected, [property: Id(2)] int Queued, [property: Id(3)] int MaxQueued)
{
    /// <summary>All its subscriptions.</summary>
    [Id(4)]
    public int SubscriptionCount { get; init; }

    /// <summary>Messages that were sent and not acknowledged.</summary>
    [Id(5)]
    public int Inflight { get; init; }

    /// <summary>Most that may be.</summary>
    [Id(6)]
    public int MaxInflight { get; init; }

    /// <summary>Messages that a full queue has lost since the session came into memory.</summary>
    [Id(7)]
    public long Dropped { get; init; }
}

/// <summary>A subscription as its session keeps it.</summary>
[GenerateSerializer, Immutable, Alias("Subscription")]
public readonly record struct Subscription([property: Id(0)] TopicFilter Filter, [property: Id(1)] SubscriptionOptions Options);

/// <summary>What became of one subscription.</summary>
/// <param name="Code">The granted QoS, or why it was refused.</param>
/// <param name="IsNew">Whether it did not exist before, for retain handling 1.</param>
[GenerateSerializer, Immutable, Alias("SubscribeResult")]
public readonly record struct SubscribeResult([property: Id(0)] ReasonCode Code, [property: Id(1)] bool IsNew);

/// <summary>A connection asks for its durable session.</summary>
[GenerateSerializer, Immutable, Alias("OpenSessionRequest")]
public sealed record OpenSessionRequest
{
    [Id(0)]
    public required ClientLocation Location { get; init; }

    [Id(1)]
    public required bool CleanStart { get; init; }

    /// <summary>Session expiry interval in seconds; 0xFFFFFFFF is never.</summary>
    [Id(2)]
    public required uint ExpirySeconds { get; init; }

    [Id(3)]
    public required SessionLimits Limits { get; init; }

    [Id(4)]
    public required byte ProtocolVersion { get; init; }

    [Id(5)]
    public string? UserName { get; init; }

    [Id(6)]
    public Will? Will { get; init; }

    /// <summary>Deliver at the higher of the message's and the subscription's QoS instead of the lower.</summary>
    [Id(7)]
    public bool UpgradeQos { get; init; }

    /// <summary>The connection's process takes grains: the session is to live there.</summary>
    [Id(8)]
    public bool MayMove { get; init; }

    /// <summary>Whether the gateway limits subscriptions, and so needs to know them.</summary>
    [Id(9)]
    public bool NeedsFilters { get; init; }
}

/// <summary>A will as the broker keeps it.</summary>
/// <param name="Message">The will message; its expiry counts from publication, so <see cref="ApplicationMessage.ExpiresAt"/> is not set yet.</param>
/// <param name="DelaySeconds">Will delay interval.</param>
/// <param name="ExpirySeconds">Message expiry interval in seconds; null is for ever.</param>
[GenerateSerializer, Immutable, Alias("Will")]
public sealed record Will(
    [property: Id(0)] ApplicationMessage Message, [property: Id(1)] uint DelaySeconds = 0, [property: Id(2)] uint? ExpirySeconds = null)
{
    /// <summary>The will message as it is published now.</summary>
    public ApplicationMessage ToMessage(long nowMs) => ExpirySeconds is { } seconds ? Message.ExpiringAt(nowMs + seconds * 1000L) : Message;
}

/// <summary>The session a connection got.</summary>
/// <param name="Code">Success, or why there is none: server unavailable when the store does not answer; server moved when the session is on its way to
/// the connection's process and is to be asked for again.</param>
/// <param name="SessionPresent">Whether there was a session to resume.</param>
/// <param name="Place">Where it is, with what a connection in another process must know of it; null if there is none.</param>
/// <param name="Rests">What an earlier connection left of the retained messages; null if nothing.</param>
[GenerateSerializer, Immutable, Alias("OpenSessionResult")]
public readonly record struct OpenSessionResult(
    [property: Id(0)] ReasonCode Code, [property: Id(1)] bool SessionPresent, [property: Id(2)] SessionPlace? Place = null,
    [property: Id(3)] RetainedRest[]? Rests = null);

/// <summary>A subscription whose retained messages have not all been sent.</summary>
/// <param name="Subscription">The subscription.</param>
/// <param name="Partition">The partition they go on in; those below have been sent.</param>
/// <param name="After">Where in it; null for its beginning.</param>
[GenerateSerializer, Immutable, Alias("RetainedRest")]
public readonly record struct RetainedRest(
    [property: Id(0)] Subscription Subscription, [property: Id(1)] int Partition, [property: Id(2)] TopicName? After);

/// <summary>Where an open session is.</summary>
/// <param name="Silo">Its process.</param>
/// <param name="Receipts">The incoming QoS 2 identifiers that are reserved: a connection elsewhere decides by a copy of them.</param>
/// <param name="Filters">Its subscriptions, if the request asked for them.</param>
/// <param name="LastReceiptNumber">The number of the last of those messages: the connection numbers on.</param>
[GenerateSerializer, Immutable, Alias("SessionPlace")]
public sealed record SessionPlace(
    [property: Id(0)] SiloAddress Silo, [property: Id(1)] ReservedIdentifier[] Receipts, [property: Id(2)] string[]? Filters, [property: Id(3)] long LastReceiptNumber);

/// <summary>An incoming QoS 2 message that was taken and not yet released.</summary>
/// <param name="PacketIdentifier">Its publisher's packet identifier.</param>
/// <param name="Number">Its number in the session.</param>
[GenerateSerializer, Immutable, Alias("ReservedIdentifier")]
public readonly record struct ReservedIdentifier([property: Id(0)] ushort PacketIdentifier, [property: Id(1)] long Number);

/// <summary>A connection leaves its session.</summary>
/// <param name="Location">The connection; ignored if it is not the session's any more.</param>
/// <param name="PublishWill">False after a normal DISCONNECT.</param>
/// <param name="ExpirySeconds">A session expiry interval changed by DISCONNECT; null leaves it.</param>
/// <param name="Rests">What it leaves of the retained messages, for the next connection; null if nothing.</param>
[GenerateSerializer, Immutable, Alias("CloseSessionRequest")]
public readonly record struct CloseSessionRequest(
    [property: Id(0)] ClientLocation Location, [property: Id(1)] bool PublishWill, [property: Id(2)] uint? ExpirySeconds,
    [property: Id(3)] RetainedRest[]? Rests = null);

/// <summary>What a link from a shard to a session carries in one call.</summary>
[GenerateSerializer, Immutable, Alias("SessionBatch")]
public sealed record SessionBatch([property: Id(0)] Guid Link, [property: Id(1)] long Number, [property: Id(2)] RoutedToSession[] Messages);

/// <summary>A message and the numbers of the session's subscriptions that it matched.</summary>
[GenerateSerializer, Immutable, Alias("RoutedToSession")]
public readonly record struct RoutedToSession([property: Id(0)] ApplicationMessage Message, [property: Id(1)] ulong[] Subscriptions);
