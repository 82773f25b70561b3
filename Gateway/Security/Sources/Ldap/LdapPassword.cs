using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;

namespace Broker.Gateway.Security.Sources.Ldap;

/// <summary>Passwords as directories keep them: `{SCHEME}` and base64 of a digest and a salt, or plain. [RFC 2307, 5.3; RFC 3112]</summary>
internal static class LdapPassword
{
    /// <summary>Whether a stored value is of a password. A scheme that is not known has none.</summary>
    public static bool Verify(ReadOnlySpan<byte> stored, ReadOnlySpan<byte> password)
    {
        if (stored is not [(byte)'{', ..] && TryDecode(stored) is [(byte)'{', ..] inner) stored = inner; // some tools encode it once more
        var end = stored.IndexOf((byte)'}');
        if (stored is not [(byte)'{', ..] || end < 0) return CryptographicOperations.FixedTimeEquals(stored, password);
        var (algorithm, isSalted) = Encoding.ASCII.GetString(stored[1..end]).ToUpperInvariant() switch
        {
            "MD5" => (HashAlgorithmName.MD5, false),
            "SMD5" => (HashAlgorithmName.MD5, true),
            "SHA" => (HashAlgorithmName.SHA1, false),
            "SSHA" => (HashAlgorithmName.SHA1, true),
            "SHA256" => (HashAlgorithmName.SHA256, false),
            "SSHA256" => (HashAlgorithmName.SHA256, true),
            "SHA384" => (HashAlgorithmName.SHA384, false),
            "SSHA384" => (HashAlgorithmName.SHA384, true),
            "SHA512" => (HashAlgorithmName.SHA512, false),
            "SSHA512" => (HashAlgorithmName.SHA512, true),
            _ => default,
        };
        if (algorithm.Name is null || TryDecode(stored[(end + 1)..]) is not { } kept) return false;
        using var hash = IncrementalHash.CreateHash(algorithm);
        if (kept.Length < hash.HashLengthInBytes || (!isSalted && kept.Length != hash.HashLengthInBytes)) return false;
        hash.AppendData(password);
        hash.AppendData(kept.AsSpan(hash.HashLengthInBytes));
        return CryptographicOperations.FixedTimeEquals(hash.GetHashAndReset(), kept.AsSpan(0, hash.HashLengthInBytes));
    }

    private static byte[]? TryDecode(ReadOnlySpan<byte> text)
    {
        var decoded = new byte[Base64.GetMaxDecodedFromUtf8Length(text.Length)];
        return Base64.DecodeFromUtf8(text, decoded, out _, out var length) == System.Buffers.OperationStatus.Done ? decoded[..length] : null;
    }
}
