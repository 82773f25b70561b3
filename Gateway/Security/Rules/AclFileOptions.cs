using System.ComponentModel.DataAnnotations;

namespace Broker.Gateway.Security.Rules;

/// <summary>A file of access rules.</summary>
internal sealed class AclFileOptions
{
    public const string Section = "Security:AclFile";

    /// <summary>Where it is; empty is none. What ends in `.conf` is in the syntax of EMQ X's `acl.conf`, anything else in ours.</summary>
    public string Path { get; set; } = "";

    /// <summary>How often it is looked at for changes; 0 is never.</summary>
    [Range(typeof(TimeSpan), "00:00:00", "1.00:00:00")]
    public TimeSpan ReloadInterval { get; set; } = TimeSpan.FromSeconds(10);
}
