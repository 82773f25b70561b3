using System.ComponentModel.DataAnnotations;
using Broker.Gateway.Security.BuiltIn;

namespace Broker.Gateway.Admin;

/// <summary>The HTTP API.</summary>
internal sealed class ManagementOptions
{
    public const string Section = "Management";

    /// <summary>The application that is made when there is none.</summary>
    [Required, RegularExpression("[A-Za-z0-9][A-Za-z0-9_-]*")]
    public string DefaultApplicationId { get; set; } = "admin";

    /// <summary>Its secret. With the usual one it is let in from this machine alone.</summary>
    [Required]
    public string DefaultApplicationSecret { get; set; } = UsualSecret;

    /// <summary>The dashboard's user that is made when there is none.</summary>
    [Required, RegularExpression("[A-Za-z0-9][A-Za-z0-9_-]*")]
    public string DefaultUser { get; set; } = "admin";

    /// <summary>Its password. With the usual one it is let in from this machine alone.</summary>
    [Required]
    public string DefaultPassword { get; set; } = UsualSecret;

    /// <summary>What a `login` is on the paths of EMQ X 4.0 to 4.2, `/mqtt_user`, `/mqtt_acl` and their like: `username` or `clientid`. EMQ X's `auth.mnesia.as`.</summary>
    [Required, RegularExpression("username|clientid")]
    public string LegacyLoginIs { get; set; } = "username";

    /// <summary>The same.</summary>
    internal UserKind LegacyKind => LegacyLoginIs == "clientid" ? UserKind.ClientId : UserKind.UserName;

    /// <summary>Where documents of `/data/export` are kept; empty is `backup` in <c>Storage:DataDirectory</c>.</summary>
    public string BackupDirectory { get; set; } = "";

    /// <summary>The largest document that is written or taken, in bytes. Importing one takes some times as much memory.</summary>
    [Range(1024 * 1024, 160_000_000)]
    public long MaxBackupBytes { get; set; } = 128 * 1024 * 1024;

    /// <summary>Documents that there may be; more are refused, not the oldest deleted.</summary>
    [Range(1, 10_000)]
    public int MaxBackups { get; set; } = 100;

    /// <summary>What everybody knows.</summary>
    public const string UsualSecret = "public";
}
