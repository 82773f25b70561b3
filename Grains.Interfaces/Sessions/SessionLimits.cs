namespace Broker.Grains.Interfaces.Sessions;

/// <summary>The bounds of one session, from configuration and what its client asked for.</summary>
[GenerateSerializer, Immutable, Alias("SessionLimits")]
public sealed record SessionLimits
{
    /// <summary>Outgoing QoS 1 and 2 messages not completed: the lower of the configured window and the client's receive maximum. [MQTT-3.3.4-9]</summary>
    [Id(0)]
    public int MaxInflight { get; init; } = 32;

    /// <summary>Messages waiting for the window or the client, per priority; 0 is no limit.</summary>
    [Id(1)]
    public int MaxQueueLength { get; init; } = 1000;

    /// <summary>Incoming QoS 2 messages received but not released; 0 is no limit.</summary>
    [Id(2)]
    public int MaxAwaitingRelease { get; init; } = 100;

    /// <summary>How long an incoming QoS 2 identifier stays reserved without its PUBREL, in milliseconds.</summary>
    [Id(3)]
    public long AwaitReleaseTimeoutMs { get; init; } = 300_000;

    /// <summary>Whether QoS 0 messages are queued at all when they cannot leave at once.</summary>
    [Id(4)]
    public bool QueueQos0 { get; init; } = true;

    /// <summary>Which topics go first in the queue; null when all are equal.</summary>
    [Id(5)]
    public QueuePriorities? Priorities { get; init; }
}

/// <summary>Priorities of exact topic names in the session queue.</summary>
/// <param name="Topics">Priority 0 to 255 by topic name, larger goes first.</param>
/// <param name="Default">The priority of every other topic.</param>
[GenerateSerializer, Immutable, Alias("QueuePriorities")]
public sealed record QueuePriorities([property: Id(0)] Dictionary<string, byte> Topics, [property: Id(1)] byte Default)
{
    /// <summary>The priority of a topic.</summary>
    public byte Of(string topic) => Topics.GetValueOrDefault(topic, Default);
}
