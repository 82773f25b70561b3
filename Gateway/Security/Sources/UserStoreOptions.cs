using System.ComponentModel.DataAnnotations;

namespace Broker.Gateway.Security.Sources;

/// <summary>A database that keeps users and hashes of their passwords.</summary>
internal abstract class UserStoreOptions : ServerOptions
{
    /// <summary>How clients' passwords are kept.</summary>
    [Required]
    public string PasswordHash { get; set; } = "sha256";
}
