using System.ComponentModel.DataAnnotations;

namespace Broker.Gateway.Security.Sources.MongoDb;

/// <summary>Users in MongoDB. Collections, selectors and defaults are EMQ X's. A selector is `field=%u, other=text`: fields and what they must be, all of them.</summary>
internal sealed class MongoOptions : UserStoreOptions
{
    public const string Section = "Security:MongoDb";

    /// <summary>One server (`single`), a replica set (`rs`), `sharded`, or whatever is found there (`unknown`).</summary>
    [RegularExpression("single|rs|sharded|unknown")]
    public string Type { get; set; } = "single";

    /// <summary>Name of the replica set.</summary>
    public string ReplicaSet { get; set; } = "";

    [Required]
    public string Database { get; set; } = "mqtt";

    /// <summary>The database that knows <see cref="ServerOptions.UserName"/>.</summary>
    [Required]
    public string AuthSource { get; set; } = "mqtt";

    /// <summary>Empty knows no users.</summary>
    public string AuthCollection { get; set; } = "mqtt_user";

    [Required]
    public string AuthSelector { get; set; } = "username=%u";

    /// <summary>The field of the password, and behind a comma that of the salt.</summary>
    [Required]
    public string PasswordField { get; set; } = "password";

    /// <summary>Empty knows no superusers.</summary>
    public string SuperCollection { get; set; } = "mqtt_user";

    [Required]
    public string SuperSelector { get; set; } = "username=%u";

    /// <summary>The field that is true for a superuser.</summary>
    [Required]
    public string SuperField { get; set; } = "is_superuser";

    /// <summary>Empty knows no rules.</summary>
    public string AclCollection { get; set; } = "mqtt_acl";

    /// <summary>One or more, of which one must fit.</summary>
    public string[] AclSelectors { get; set; } = [];

    /// <summary>Those that are in effect.</summary>
    public IReadOnlyList<string> EffectiveAclSelectors => AclSelectors.Length == 0 ? ["username=%u"] : AclSelectors;
}
