using System.Security.Cryptography;
using Org.BouncyCastle.Crypto;
using Org.BouncyCastle.Crypto.Digests;
using Org.BouncyCastle.Crypto.Generators;
using Org.BouncyCastle.Crypto.Parameters;

namespace Broker.Gateway.Security.Passwords;

/// <summary>A hash function by the name that EMQ X's settings have for it: the framework's, or BouncyCastle's for those that it has not.</summary>
internal sealed class Digest
{
    private const int LargestOnStack = 1_024;

    private static readonly Dictionary<string, Digest> ByName = new()
    {
        ["md4"] = new(static () => new MD4Digest()),
        ["md5"] = new(HashAlgorithmName.MD5, isForPasswords: true),
        ["ripemd160"] = new(static () => new RipeMD160Digest()),
        ["sha"] = new(HashAlgorithmName.SHA1, isForPasswords: true),
        ["sha224"] = new(static () => new Sha224Digest()),
        ["sha256"] = new(HashAlgorithmName.SHA256, isForPasswords: true),
        ["sha384"] = new(HashAlgorithmName.SHA384, isForPasswords: false),
        ["sha512"] = new(HashAlgorithmName.SHA512, isForPasswords: true),
    };

    private readonly HashAlgorithmName name;
    private readonly Func<IDigest>? other;

    private Digest(HashAlgorithmName name, bool isForPasswords) => (this.name, IsForPasswords) = (name, isForPasswords);

    private Digest(Func<IDigest> other) => this.other = other;

    /// <summary>Whether passwords may be kept as its digest; the others are for PBKDF2 alone.</summary>
    public bool IsForPasswords { get; }

    public static Digest? Find(string name) => ByName.GetValueOrDefault(name);

    /// <summary>The digest of two parts, one behind the other. Only of those for passwords.</summary>
    public byte[] Compute(ReadOnlySpan<byte> first, ReadOnlySpan<byte> second)
    {
        var length = first.Length + second.Length;
        var whole = length <= LargestOnStack ? stackalloc byte[length] : new byte[length];
        first.CopyTo(whole);
        second.CopyTo(whole[first.Length..]);
        return CryptographicOperations.HashData(name, whole);
    }

    /// <summary>PBKDF2 with its HMAC (RFC 8018).</summary>
    /// <param name="length">Of the key, in bytes.</param>
    public byte[] Derive(ReadOnlySpan<byte> password, ReadOnlySpan<byte> salt, int iterations, int length)
    {
        if (other is null && name != HashAlgorithmName.MD5) return Rfc2898DeriveBytes.Pbkdf2(password, salt, iterations, name, length);
        var generator = new Pkcs5S2ParametersGenerator(other?.Invoke() ?? new MD5Digest());
        generator.Init(password.ToArray(), salt.ToArray(), iterations);
        return ((KeyParameter)generator.GenerateDerivedMacParameters(length * 8)).GetKey();
    }
}
