using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using Microsoft.IdentityModel.Tokens;

namespace Broker.Gateway.Security.Sources.Jwt;

/// <summary>Reads keys: those of the configuration, and key sets.</summary>
internal static class JwtKeys
{
    /// <summary>What is shorter the library refuses; HMAC itself fills a shorter key up with zeros, so that it stays the same. [RFC 2104, 2]</summary>
    private const int HmacBlock = 64;

    /// <summary>The keys of the configuration: the secret, then the public key.</summary>
    /// <exception cref="CryptographicException">The file holds no key.</exception>
    /// <exception cref="IOException">A file cannot be read.</exception>
    public static SecurityKey[] Read(JwtOptions options)
    {
        var keys = new List<SecurityKey>();
        var secret = options.SecretFile.Length == 0 ? options.Secret : File.ReadAllText(options.SecretFile).TrimEnd('\r', '\n');
        if (secret.Length > 0) keys.Add(MakeSecret(Encoding.UTF8.GetBytes(secret)));
        if (options.PublicKeyFile.Length > 0) keys.Add(ReadPem(File.ReadAllText(options.PublicKeyFile)));
        return [.. keys];
    }

    /// <summary>Reads a key set. Keys that are not understood, or not for signatures, are left out. [RFC 7517, 5]</summary>
    /// <exception cref="ArgumentException">It is none.</exception>
    public static SecurityKey[] ReadSet(ReadOnlySpan<byte> json)
    {
        var set = JsonWebKeySet.Create(Encoding.UTF8.GetString(json));
        if (set.Keys.Count == 0) throw new ArgumentException("the answer has no keys");
        var secrets = set.Keys.Where(key => key.Kty == JsonWebAlgorithmsKeyTypes.Octet && key.K is not null && key.Use is null or JsonWebKeyUseNames.Sig); // the library leaves them out
        return [.. set.GetSigningKeys(), .. secrets.Select(key => MakeSecret(Base64UrlEncoder.DecodeBytes(key.K), key.Kid))];
    }

    /// <summary>What is wrong with settings beside files that are not there and TLS.</summary>
    public static IEnumerable<(string Key, string Fault)> Faults(JwtOptions options)
    {
        if (options.JwksUrl.Length > 0 && !(Uri.TryCreate(options.JwksUrl, UriKind.Absolute, out var url) && url.Scheme is "http" or "https"))
        {
            yield return (nameof(options.JwksUrl), $" = '{options.JwksUrl}' is no http or https address");
        }

        foreach (var claim in options.VerifyClaims.Keys.Where(claim => claim is "exp" or "iat" or "nbf")) yield return ($"{nameof(options.VerifyClaims)}:{claim}", ": times are always checked");
        if (FaultOfKeys(options) is { } fault) yield return (nameof(options.PublicKeyFile), $" = {options.PublicKeyFile}: {fault}");
    }

    private static string? FaultOfKeys(JwtOptions options)
    {
        try
        {
            if (File.Exists(options.PublicKeyFile)) _ = ReadPem(File.ReadAllText(options.PublicKeyFile));
            return null;
        }
        catch (Exception fault) when (fault is CryptographicException or IOException or ArgumentException)
        {
            return fault.Message;
        }
    }

    private static SymmetricSecurityKey MakeSecret(byte[] secret, string? name = null)
    {
        if (secret.Length < HmacBlock) Array.Resize(ref secret, HmacBlock);
        return new SymmetricSecurityKey(secret) { KeyId = name };
    }

    private static SecurityKey ReadPem(string pem)
    {
        if (pem.Contains("BEGIN CERTIFICATE", StringComparison.Ordinal)) return new X509SecurityKey(X509Certificate2.CreateFromPem(pem));
        try
        {
            var rsa = RSA.Create();
            rsa.ImportFromPem(pem);
            return new RsaSecurityKey(rsa);
        }
        catch (Exception fault) when (fault is CryptographicException or ArgumentException)
        {
            var curve = ECDsa.Create();
            curve.ImportFromPem(pem);
            return new ECDsaSecurityKey(curve);
        }
    }
}
