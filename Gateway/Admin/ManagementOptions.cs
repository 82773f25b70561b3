using System.ComponentModel.DataAnnotations;

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

    /// <summary>What everybody knows.</summary>
    public const string UsualSecret = "public";
}
