using System.ComponentModel.DataAnnotations;

namespace Broker.Gateway.Security.Sources.Sql;

/// <summary>A relational database of users and rules. Names and defaults follow EMQ X 4.x.</summary>
internal abstract class SqlOptions : SourceOptions
{
    /// <summary>Host and port; empty is none.</summary>
    public string Server { get; set; } = "";

    public string UserName { get; set; } = "";

    public string Password { get; set; } = "";

    /// <summary>A file that holds the password, instead of <see cref="Password"/>.</summary>
    public string PasswordFile { get; set; } = "";

    [Required]
    public string Database { get; set; } = "mqtt";

    /// <summary>`off`, `on` (whatever certificate the server has), or `verify`.</summary>
    [RegularExpression("off|on|verify")]
    public string Tls { get; set; } = "off";

    /// <summary>Certificate of the authority that signed the server's; empty are the system's.</summary>
    public string CaFile { get; set; } = "";

    /// <summary>How passwords are kept.</summary>
    [Required]
    public string PasswordHash { get; set; } = "sha256";

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

    /// <summary>The password that is to be used.</summary>
    /// <exception cref="IOException">Its file cannot be read.</exception>
    public string ReadPassword() => PasswordFile.Length == 0 ? Password : File.ReadAllText(PasswordFile).TrimEnd('\r', '\n');
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
