using System.ComponentModel.DataAnnotations;

namespace Broker.Grains.Interfaces.Sessions;

/// <summary>What bounds durable sessions. The gateway has more of this section; a silo without one needs it for sessions that come up without their client.</summary>
public class SessionOptions
{
    public const string Section = "Mqtt";

    /// <summary>Deliver at the higher of the message's and the subscription's QoS instead of the lower.</summary>
    public bool UpgradeQos { get; set; }

    /// <summary>Outgoing QoS 1 and 2 messages in flight for one client.</summary>
    [Range(1, 65_535)]
    public int MaxInflight { get; set; } = 32;

    /// <summary>Incoming QoS 2 messages of a 3.x client that wait for PUBREL; 0 is no limit. Over it the connection is closed.</summary>
    [Range(0, 65_535)]
    public int MaxAwaitingRel { get; set; } = 100;

    /// <summary>How long such a message's identifier is kept.</summary>
    [Range(typeof(TimeSpan), "00:00:01", "7.00:00:00")]
    public TimeSpan AwaitRelTimeout { get; set; } = TimeSpan.FromSeconds(300);

    /// <summary>Messages waiting for one session, for each priority; 0 is no limit. When full the oldest goes.</summary>
    [Range(0, 10_000_000)]
    public int MaxQueueLength { get; set; } = 1000;

    /// <summary>Priority 0 to 255 of exact topic names in the session queue; larger goes first. Empty: all are equal.</summary>
    public Dictionary<string, byte> QueuePriorities { get; init; } = [];

    /// <summary>The priority of topics not listed: highest or lowest.</summary>
    public DefaultPriority QueueDefaultPriority { get; set; } = DefaultPriority.Highest;

    /// <summary>Whether QoS 0 messages are queued when the client is away or slow.</summary>
    public bool QueueQos0 { get; set; } = true;

    /// <summary>All of this as sessions want it.</summary>
    public SessionDefaults ToSessionDefaults()
    {
        var priorities = QueuePriorities.Count == 0 ? null
            : new QueuePriorities(QueuePriorities, QueueDefaultPriority == DefaultPriority.Highest ? byte.MaxValue : (byte)0);
        return new SessionDefaults(
            new SessionLimits
            {
                MaxInflight = MaxInflight,
                MaxQueueLength = MaxQueueLength,
                MaxAwaitingRelease = MaxAwaitingRel,
                AwaitReleaseTimeoutMs = (long)AwaitRelTimeout.TotalMilliseconds,
                QueueQos0 = QueueQos0,
                Priorities = priorities,
            },
            UpgradeQos);
    }
}

/// <summary>Where unlisted topics stand among queue priorities.</summary>
public enum DefaultPriority
{
    /// <summary>Before all others.</summary>
    Highest,

    /// <summary>After all others.</summary>
    Lowest,
}
