using System.ComponentModel.DataAnnotations;

namespace Broker.Gateway.Security.Sources.Jwt;

/// <summary>Clients that show a JSON Web Token. Names follow EMQ X 4.x's `auth.jwt` keys. Without a key nobody is asked for one.</summary>
internal sealed class JwtOptions : TlsClientOptions
{
    public const string Section = "Security:Jwt";

    public JwtOptions() => Tls = "verify";

    /// <summary>The key of tokens with HS256, HS384 or HS512.</summary>
    public string Secret { get; set; } = "";

    /// <summary>A file that holds it, instead of <see cref="Secret"/>.</summary>
    public string SecretFile { get; set; } = "";

    /// <summary>A PEM file with the RSA or EC public key, or the certificate, of tokens with RS, PS or ES.</summary>
    public string PublicKeyFile { get; set; } = "";

    /// <summary>Where keys are published as a JSON Web Key Set (`http` or `https`). They are for tokens that name their key (`kid`).</summary>
    public string JwksUrl { get; set; } = "";

    /// <summary>How often that is read. Read before its time, every few seconds at most, when a token names a key that is not known.</summary>
    [Range(typeof(TimeSpan), "00:00:01", "1.00:00:00")]
    public TimeSpan JwksRefreshInterval { get; set; } = TimeSpan.FromMinutes(5);

    /// <summary>Where the client puts its token: `password` or `username`.</summary>
    [RegularExpression("password|username")]
    public string From { get; set; } = "password";

    /// <summary>What claims must be: a text, or `%u` (user name) or `%c` (client identifier).</summary>
    public Dictionary<string, string> VerifyClaims { get; set; } = [];

    /// <summary>The claim with the filters the client may use: `{"pub": […], "sub": […], "all": […]}`.</summary>
    [Required]
    public string AclClaim { get; set; } = "acl";

    public override IEnumerable<(string Key, string File)> Files => [.. base.Files, (nameof(SecretFile), SecretFile), (nameof(PublicKeyFile), PublicKeyFile)];
}
