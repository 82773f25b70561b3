using System.ComponentModel.DataAnnotations;

namespace Broker.Gateway.Security.Sources.Sql;

/// <summary>A relational database of users and rules. Names and defaults follow EMQ X 4.x.</summary>
internal abstract class SqlOptions : UserStoreOptions
{
    [Required]
    public string Database { get; set; } = "mqtt";

    /// <summary>Returns `password` and, if the hash needs one, `salt`; empty knows no users.</summary>
    public string AuthQuery { get; set; } = "select password from mqtt_user where username = '%u' limit 1";

    /// <summary>Returns one value that is true or not 0 for superusers; empty knows none.</summary>
    public string SuperQuery { get; set; } = "select is_superuser from mqtt_user where username = '%u' limit 1";

    /// <summary>Returns `allow`, `ipaddr`, `username`, `clientid`, `access` and `topic`; empty knows no rules.</summary>
    public string AclQuery { get; set; } =
        "select allow, ipaddr, username, clientid, access, topic from mqtt_acl where ipaddr = '%a' or username = '%u' or username = '$all' or clientid = '%c'";

    /// <summary>Whether the `first` row that matches decides, or the `last`, as EMQ X does it and does not say it.</summary>
    [RegularExpression("first|last")]
    public string AclOrder { get; set; } = "first";
}

/// <summary>MySQL or MariaDB.</summary>
internal sealed class MySqlSourceOptions : SqlOptions
{
    public const string Section = "Security:MySql";
}

/// <summary>PostgreSQL.</summary>
internal sealed class PostgreSqlSourceOptions : SqlOptions
{
    public const string Section = "Security:PostgreSql";
}
