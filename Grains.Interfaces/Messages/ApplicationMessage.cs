using Broker.Grains.Interfaces.Topics;

namespace Broker.Grains.Interfaces.Messages;

/// <summary>An application message on its way through the broker.</summary>
/// <remarks>Made once, at decode, and shared by everybody from then on: nothing in it may be written to again.</remarks>
[GenerateSerializer, Immutable, SuppressReferenceTracking, Alias("ApplicationMessage")]
public sealed class ApplicationMessage
{
    /// <summary>Where it was published, mountpoint included.</summary>
    [Id(0)]
    public required TopicName Topic { get; init; }

    /// <summary>The payload, owned by this message.</summary>
    [Id(1)]
    public required byte[] Payload { get; init; }

    /// <summary>The QoS it was published with.</summary>
    [Id(2)]
    public Qos Qos { get; init; }

    /// <summary>The RETAIN flag it was published with.</summary>
    [Id(3)]
    public bool Retain { get; init; }

    /// <summary>Further 5.0 properties; null when there are none.</summary>
    [Id(4)]
    public MessageProperties? Properties { get; init; }

    /// <summary>Client identifier of the publisher, for no-local and hashing; empty for the broker's own messages.</summary>
    [Id(5)]
    public string PublisherId { get; init; } = "";

    /// <summary>When it stops being worth delivering, in Unix milliseconds; 0 means never. [MQTT-3.3.2-5]</summary>
    [Id(6)]
    public long ExpiresAt { get; init; }

    /// <summary>Names it between nodes; null where that is not needed. Not part of what is stored.</summary>
    [Id(7)]
    public MessageOrigin? Origin { get; init; }

    /// <summary>When the gateway read it from its publisher, in Unix microseconds by the clock of that machine; 0 if no client has sent it.</summary>
    [Id(8)]
    public long ReceivedAt { get; init; }

    /// <summary>The last step of its way that was traced, as W3C's trace context writes it (`traceparent`); null if it is not traced. Not part of what is stored.</summary>
    [Id(9)]
    public string? TraceParent { get; init; }

    /// <summary>The same message with some things changed; null leaves them as they are.</summary>
    /// <param name="payload">Owned by the new message.</param>
    /// <param name="properties">Those that it has and MQTT 5.0 hands on.</param>
    public ApplicationMessage With(TopicName? topic = null, byte[]? payload = null, Qos? qos = null, bool? retain = null, MessageProperties? properties = null) => new()
    {
        Topic = topic ?? Topic,
        Payload = payload ?? Payload,
        Qos = qos ?? Qos,
        Retain = retain ?? Retain,
        Properties = properties ?? Properties,
        PublisherId = PublisherId,
        ExpiresAt = ExpiresAt,
        Origin = Origin,
        ReceivedAt = ReceivedAt,
        TraceParent = TraceParent,
    };

    /// <summary>The same message with another end of life.</summary>
    /// <param name="unixMs">When it expires, in Unix milliseconds; 0 means never.</param>
    public ApplicationMessage ExpiringAt(long unixMs) => With(unixMs, Origin, TraceParent);

    /// <summary>The same message as its own origin would see it: without a name between nodes.</summary>
    public ApplicationMessage WithoutOrigin() => Origin is null ? this : With(ExpiresAt, null, TraceParent);

    /// <summary>The same message as it is stored: without what only helps it on its way.</summary>
    public ApplicationMessage WithoutWay() => Origin is null && TraceParent is null ? this : With(ExpiresAt, null, null);

    /// <summary>The same message behind another step of its trace; null ends that.</summary>
    public ApplicationMessage Traced(string? traceParent) => ReferenceEquals(TraceParent, traceParent) ? this : With(ExpiresAt, Origin, traceParent);

    /// <summary>The same message with a name between nodes.</summary>
    public ApplicationMessage From(MessageOrigin origin) => With(ExpiresAt, origin, TraceParent);

    private ApplicationMessage With(long expiresAt, MessageOrigin? origin, string? traceParent) => new()
    {
        Topic = Topic,
        Payload = Payload,
        Qos = Qos,
        Retain = Retain,
        Properties = Properties,
        PublisherId = PublisherId,
        ExpiresAt = expiresAt,
        Origin = origin,
        ReceivedAt = ReceivedAt,
        TraceParent = traceParent,
    };

    /// <summary>True once its message expiry interval has passed.</summary>
    /// <param name="nowMs">Now, in Unix milliseconds.</param>
    public bool IsExpired(long nowMs) => ExpiresAt != 0 && ExpiresAt <= nowMs;

    /// <summary>What is left of the message expiry interval, in whole seconds, at least 1; null when it never expires. [MQTT-3.3.2-6]</summary>
    /// <param name="nowMs">Now, in Unix milliseconds.</param>
    public uint? RemainingExpirySeconds(long nowMs) =>
        ExpiresAt == 0 ? null : (uint)Math.Clamp((ExpiresAt - nowMs + 999) / 1000, 1, uint.MaxValue);
}
