using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;

namespace Broker.Tests.Cluster.Sources;

/// <summary>Makes JSON Web Tokens. [RFC 7515]</summary>
internal sealed class TokenSigner : IDisposable
{
    private readonly string algorithm;
    private readonly byte[] secret;
    private readonly RSA? rsa;
    private readonly ECDsa? curve;

    public TokenSigner(string algorithm, string secret)
    {
        (this.algorithm, this.secret) = (algorithm, Encoding.UTF8.GetBytes(secret));
        if (algorithm[0] is 'R' or 'P') rsa = RSA.Create(2048);
        if (algorithm[0] is 'E') curve = ECDsa.Create(algorithm switch { "ES256" => ECCurve.NamedCurves.nistP256, "ES384" => ECCurve.NamedCurves.nistP384, _ => ECCurve.NamedCurves.nistP521 });
    }

    public TokenSigner(string algorithm, RSA key) => (this.algorithm, secret, rsa) = (algorithm, [], key);

    /// <summary>Named in the header.</summary>
    public string? KeyId { get; init; }

    /// <summary>ECDSA signatures are written in DER.</summary>
    public bool IsDer { get; init; }

    private HashAlgorithmName Digest => new("SHA" + algorithm[2..]);

    public static string Encode(ReadOnlySpan<byte> bytes) => Base64Url.EncodeToString(bytes);

    public string Sign(string claims, string? header = null)
    {
        header ??= KeyId is null ? $$"""{"alg":"{{algorithm}}","typ":"JWT"}""" : $$"""{"alg":"{{algorithm}}","kid":"{{KeyId}}"}""";
        var input = $"{Encode(Encoding.UTF8.GetBytes(header))}.{Encode(Encoding.UTF8.GetBytes(claims))}";
        var bytes = Encoding.ASCII.GetBytes(input);
        var signature = rsa is not null ? rsa.SignData(bytes, Digest, algorithm[0] == 'P' ? RSASignaturePadding.Pss : RSASignaturePadding.Pkcs1)
            : curve is not null ? curve.SignData(bytes, Digest, IsDer ? DSASignatureFormat.Rfc3279DerSequence : DSASignatureFormat.IeeeP1363FixedFieldConcatenation)
            : CryptographicOperations.HmacData(Digest, secret, bytes);
        return $"{input}.{Encode(signature)}";
    }

    /// <summary>Writes the public key into a PEM file.</summary>
    /// <returns>The file; null if the key is a secret.</returns>
    public string? PublicKey(string file)
    {
        if ((rsa ?? (AsymmetricAlgorithm?)curve) is not { } key) return null;
        File.WriteAllText(file, key.ExportSubjectPublicKeyInfoPem());
        return file;
    }

    /// <summary>The key as key sets have it. [RFC 7517]</summary>
    public string Published()
    {
        if (rsa is not null)
        {
            var key = rsa.ExportParameters(false);
            return $$"""{"kty":"RSA","use":"sig","kid":"{{KeyId}}","n":"{{Encode(key.Modulus)}}","e":"{{Encode(key.Exponent)}}"}""";
        }

        if (curve is null) return $$"""{"kty":"oct","kid":"{{KeyId}}","k":"{{Encode(secret)}}"}""";
        var point = curve.ExportParameters(false).Q;
        return $$"""{"kty":"EC","crv":"P-{{algorithm[2..]}}","kid":"{{KeyId}}","x":"{{Encode(point.X)}}","y":"{{Encode(point.Y)}}"}""";
    }

    public void Dispose()
    {
        rsa?.Dispose();
        curve?.Dispose();
    }
}
