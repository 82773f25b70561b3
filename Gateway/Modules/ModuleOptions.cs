using System.ComponentModel.DataAnnotations;

namespace Broker.Gateway.Modules;

/// <summary>Which modules are on until an operator says otherwise; what was said at run time stands in the cluster's records and wins.</summary>
internal sealed class ModuleOptions
{
    public const string Section = "Modules";

    /// <summary>Messages about clients that come and go.</summary>
    public bool Presence { get; set; } = true;

    /// <summary>QoS of those.</summary>
    [Range(0, 2)]
    public int PresenceQos { get; set; } = 1;

    /// <summary>Subscribes clients when they connect; to nothing unless <see cref="AutoSubscribeOptions"/> says to what.</summary>
    public bool AutoSubscribe { get; set; } = true;

    /// <summary>Changes topics; none unless <see cref="RewriteOptions"/> says which.</summary>
    public bool Rewrite { get; set; } = true;

    /// <summary>Counts what goes over single topics.</summary>
    public bool TopicMetrics { get; set; }

    /// <summary>Finds out which clients get or acknowledge messages late.</summary>
    public bool SlowSubscriptions { get; set; }
}
