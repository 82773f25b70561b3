using System.Collections.Concurrent;
using System.Security.Cryptography;
using System.Text;
using Broker.Gateway.Security.Passwords;

namespace Broker.Gateway.Admin;

/// <summary>Secrets of those who may call the HTTP API: kept as slow hashes. What was right once costs a digest from then on.</summary>
internal sealed class Secrets
{
    private static readonly PasswordHash Hash = PasswordHash.Parse("pbkdf2,sha256,10000,32");

    private readonly ConcurrentDictionary<string, (long Version, byte[] Digest)> verified = new(StringComparer.Ordinal);
    private readonly byte[] key = RandomNumberGenerator.GetBytes(32);

    /// <summary>The form in which a secret is kept.</summary>
    public static (string Hash, string? Salt) Keep(string secret) => Hash.Make(Encoding.UTF8.GetBytes(secret));

    /// <summary>Whether a secret is the one that is kept. In constant time.</summary>
    /// <param name="owner">Whose it is.</param>
    /// <param name="version">Of the record that keeps it: with a new one it may be another.</param>
    /// <param name="method">How it is kept, if not as <see cref="Keep"/> does.</param>
    public async ValueTask<bool> VerifyAsync(string owner, long version, string secret, string hash, string? salt, string? method = null)
    {
        var bytes = Encoding.UTF8.GetBytes(secret);
        var digest = HMACSHA256.HashData(key, bytes);
        if (verified.TryGetValue(owner, out var known) && known.Version == version && CryptographicOperations.FixedTimeEquals(known.Digest, digest)) return true;
        if (!await (method is null ? Hash : PasswordHash.Parse(method)).VerifyAsync(bytes, hash, salt)) return false;
        verified[owner] = (version, digest);
        return true;
    }
}
