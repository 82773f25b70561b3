using System.ComponentModel.DataAnnotations;

namespace Broker.Gateway.Modules;

/// <summary>Which modules are on until an operator says otherwise; what was said at run time stands in the cluster's records and wins.</summary>
internal sealed class ModuleOptions
{
    public const string Section = "Modules";

    /// <summary>Access rules of a file; none unless `Security:AclFile:Path` says where.</summary>
    public bool AclInternal { get; set; } = true;

    /// <summary>Messages about clients that come and go.</summary>
    public bool Presence { get; set; } = true;

    /// <summary>QoS of those.</summary>
    [Range(0, 2)]
    public int PresenceQos { get; set; } = 1;

    /// <summary>Subscribes clients when they connect; to nothing unless <see cref="AutoSubscribeOptions"/> says to what.</summary>
    public bool AutoSubscribe { get; set; } = true;

    /// <summary>Changes topics; none unless <see cref="RewriteOptions"/> says which.</summary>
    public bool Rewrite { get; set; } = true;

    /// <summary>Lets messages to `$delayed/…` wait. Read by silos too, by its name.</summary>
    public bool Delayed { get; set; }

    /// <summary>Counts what goes over single topics.</summary>
    public bool TopicMetrics { get; set; }

    /// <summary>Finds out which clients get or acknowledge messages late.</summary>
    public bool SlowSubscriptions { get; set; }
}
