using System.ComponentModel.DataAnnotations;

namespace Broker.Gateway.Security.Sources.Redis;

/// <summary>Users in Redis. Commands and defaults are EMQ X's.</summary>
internal sealed class RedisOptions : UserStoreOptions
{
    public const string Section = "Security:Redis";

    public RedisOptions() => PasswordHash = "plain";

    /// <summary>One server (`single`), `sentinel`s that know it, or a `cluster`.</summary>
    [RegularExpression("single|sentinel|cluster")]
    public string Type { get; set; } = "single";

    /// <summary>The name by which sentinels know the master.</summary>
    public string Sentinel { get; set; } = "";

    /// <summary>Its number; a cluster has 0 only.</summary>
    [Range(0, 100_000)]
    public int Database { get; set; }

    /// <summary>Gives the password and, if the hash needs one, the salt behind it (`HMGET`, `HGET`, `GET`); empty knows no users.</summary>
    public string AuthCommand { get; set; } = "HMGET mqtt_user:%u password";

    /// <summary>Gives 1 for a superuser; empty knows none.</summary>
    public string SuperCommand { get; set; } = "HGET mqtt_user:%u is_superuser";

    /// <summary>Gives a hash of filters with 1 (subscribe), 2 (publish) or 3 (both); empty knows no rules.</summary>
    public string AclCommand { get; set; } = "HGETALL mqtt_acl:%u";
}
