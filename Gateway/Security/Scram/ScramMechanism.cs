using System.Diagnostics.CodeAnalysis;
using System.Security.Cryptography;

namespace Broker.Gateway.Security.Scram;

/// <summary>The hash functions of SCRAM. (RFC 5802, RFC 7677)</summary>
internal sealed class ScramMechanism
{
    public static readonly ScramMechanism Sha1 = new("SCRAM-SHA-1", HashAlgorithmName.SHA1, SHA1.HashSizeInBytes);
    public static readonly ScramMechanism Sha256 = new("SCRAM-SHA-256", HashAlgorithmName.SHA256, SHA256.HashSizeInBytes);
    public static readonly ScramMechanism Sha512 = new("SCRAM-SHA-512", HashAlgorithmName.SHA512, SHA512.HashSizeInBytes);

    private ScramMechanism(string name, HashAlgorithmName algorithm, int size) => (Name, Algorithm, Size) = (name, algorithm, size);

    public static IReadOnlyList<ScramMechanism> All { get; } = [Sha1, Sha256, Sha512];

    /// <summary>As the authentication method of CONNECT has it.</summary>
    public string Name { get; }

    public HashAlgorithmName Algorithm { get; }

    /// <summary>Bytes of a hash.</summary>
    public int Size { get; }

    /// <summary>The mechanism of that name; null if there is none.</summary>
    public static ScramMechanism? Find(string name) => All.FirstOrDefault(one => one.Name == name);

    [SuppressMessage("Security", "CA5350", Justification = "SCRAM-SHA-1 has it.")]
    public byte[] Hash(ReadOnlySpan<byte> data) => CryptographicOperations.HashData(Algorithm, data);

    public byte[] Hmac(ReadOnlySpan<byte> key, ReadOnlySpan<byte> data) => CryptographicOperations.HmacData(Algorithm, key, data);
}
