using System.ComponentModel.DataAnnotations;

namespace Broker.Gateway.Security.BuiltIn;

/// <summary>The broker's own users.</summary>
internal sealed class BuiltInOptions
{
    public const string Section = "Security:BuiltIn";

    /// <summary>How new passwords are kept; those kept otherwise stay valid.</summary>
    [Required]
    public string PasswordHash { get; set; } = "salt,sha256";

    /// <summary>Users by user name or by client identifier that are added at start if they are not there.</summary>
    public PresetUser[] Users { get; set; } = [];
}

/// <summary>A user that the configuration brings: with a user name or a client identifier.</summary>
internal sealed class PresetUser
{
    public string? UserName { get; set; }

    public string? ClientId { get; set; }

    public string? Password { get; set; }

    public bool IsSuperuser { get; set; }
}
