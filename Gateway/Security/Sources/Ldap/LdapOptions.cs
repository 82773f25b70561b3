using System.ComponentModel.DataAnnotations;

namespace Broker.Gateway.Security.Sources.Ldap;

/// <summary>Users in an LDAP directory. Names and defaults follow EMQ X 4.x, whose schema `deploy/access/mqtt.schema` has.</summary>
internal sealed class LdapOptions : ServerOptions
{
    public const string Section = "Security:Ldap";
    public const int UsualPort = 389, UsualTlsPort = 636;

    public LdapOptions() => UserName = "cn=root,dc=emqx,dc=io";

    /// <summary>Where users are.</summary>
    [Required]
    public string DeviceDn { get; set; } = "ou=device,dc=emqx,dc=io";

    /// <summary>The entry of a user: `${username_attr}`, `${user}` and `${device_dn}` stand for <see cref="UserNameAttribute"/>, the client's user name and <see cref="DeviceDn"/>.</summary>
    [Required]
    public string BaseDn { get; set; } = "${username_attr}=${user},${device_dn}";

    [Required]
    public string UserNameAttribute { get; set; } = "uid";

    [Required]
    public string PasswordAttribute { get; set; } = "userPassword";

    /// <summary>The class of users' entries.</summary>
    [Required]
    public string MatchObjectClass { get; set; } = "mqttUser";

    /// <summary>What entries must be, instead of <see cref="MatchObjectClass"/>; from left to right.</summary>
    public LdapFilterOptions[] Filters { get; set; } = [];

    /// <summary>The directory compares the password: the broker binds as the user. Otherwise the broker reads <see cref="PasswordAttribute"/> and compares it.</summary>
    public bool BindAsUser { get; set; }

    /// <summary>Whether clients are looked up in it.</summary>
    public bool KnowsUsers { get; set; } = true;

    /// <summary>Whether access rules are.</summary>
    public bool KnowsRules { get; set; } = true;
}

/// <summary>An attribute and its value.</summary>
internal sealed class LdapFilterOptions
{
    public string Key { get; set; } = "";

    public string Value { get; set; } = "";

    /// <summary>`and` or `or`, to the next one.</summary>
    public string Op { get; set; } = "and";
}
