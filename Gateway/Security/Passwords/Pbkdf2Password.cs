using System.Text;

namespace Broker.Gateway.Security.Passwords;

/// <summary>Kept as a key derived with PBKDF2 (RFC 8018).</summary>
/// <param name="digest">The hash function of its HMAC.</param>
/// <param name="iterations">How often it is applied.</param>
/// <param name="length">Of the key, in bytes.</param>
internal sealed class Pbkdf2Password(Digest digest, int iterations, int length) : PasswordHash
{
    public override bool NeedsSalt => true;

    public override (string Hash, string? Salt) Make(ReadOnlySpan<byte> password)
    {
        var salt = NewSalt();
        return (Convert.ToHexStringLower(Compute(password, salt)), salt);
    }

    public override ValueTask<bool> VerifyAsync(ReadOnlyMemory<byte> password, string stored, string? salt) =>
        salt is null ? ValueTask.FromResult(false) : SlowHash.ComputeAsync(() => EqualsHex(stored, Compute(password.Span, salt)));

    private byte[] Compute(ReadOnlySpan<byte> password, string salt) => digest.Derive(password, Encoding.UTF8.GetBytes(salt), iterations, length);
}
