using Broker.Grains.Interfaces.Messages;

namespace Broker.Gateway.History;

/// <summary>What happened to a client.</summary>
internal enum ClientEventKind
{
    /// <summary>It was accepted.</summary>
    Connected,

    /// <summary>It was not.</summary>
    ConnectRefused,

    /// <summary>It has subscribed, or somebody has for it.</summary>
    Subscribed,
    Unsubscribed,

    /// <summary>It may not publish: an access rule forbids it, or the broker does not take the message.</summary>
    PublishDenied,

    /// <summary>It may not subscribe: an access rule forbids it, or the broker does not have such subscriptions.</summary>
    SubscribeDenied,

    /// <summary>It did not get a message.</summary>
    Dropped,

    /// <summary>Its connection has ended.</summary>
    Disconnected,

    /// <summary>Its session has ended.</summary>
    SessionEnded,
}

/// <summary>One event, for whoever asks why.</summary>
/// <param name="Source">Who decided; <see cref="Broker"/> or the source that said no. Null if there was nothing to decide.</param>
internal sealed record ClientEvent(ClientEventKind Kind, ReasonCode Code = ReasonCode.Success, string? Source = null)
{
    /// <summary>The broker itself, by its configuration or the standard.</summary>
    public const string Broker = "broker";

    /// <summary>When it happened first; filled in by the recorder.</summary>
    public DateTimeOffset At
    {
        get;
        init => LastAt = field = value;
    }

    /// <summary>When it happened last.</summary>
    public DateTimeOffset LastAt { get; private set; }

    /// <summary>How often it happened with nothing else in between.</summary>
    public int Count { get; private set; } = 1;

    /// <summary>The rule that matched, as the source names it.</summary>
    public string? Rule { get; init; }

    public string? Reason { get; init; }

    /// <summary>The topic or filter, as the client wrote it.</summary>
    public string? Topic { get; init; }

    /// <summary>Where it connects from, and with what.</summary>
    public string? Peer { get; init; }

    /// <summary>It has happened once more. Under the recorder's lock.</summary>
    public void Repeat(DateTimeOffset now) => (LastAt, Count) = (now, Count + 1);

    /// <summary>Whether another is the same but for its time.</summary>
    public bool IsLike(ClientEvent other) =>
        (Kind, Code, Source, Rule, Reason, Topic, Peer) == (other.Kind, other.Code, other.Source, other.Rule, other.Reason, other.Topic, other.Peer);
}
