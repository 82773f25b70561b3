using System.Text;

namespace Broker.Gateway.Security.Passwords;

/// <summary>Where the salt goes.</summary>
internal enum SaltPlace
{
    None,
    Before,
    Behind,

    /// <summary>Before it; kept are the hexadecimal digits of its bytes.</summary>
    BeforeAsBytes,
}

/// <summary>Kept as the digest of the password, with a salt before or behind it. Quick: made for passwords that are random, as devices' should be.</summary>
internal sealed class DigestPassword(Digest digest, SaltPlace place) : PasswordHash
{
    public override bool NeedsSalt => place != SaltPlace.None;

    public override (string Hash, string? Salt) Make(ReadOnlySpan<byte> password)
    {
        var salt = NeedsSalt ? NewSalt() : null;
        return (Convert.ToHexStringLower(Compute(password, salt)), salt);
    }

    public override ValueTask<bool> VerifyAsync(ReadOnlyMemory<byte> password, string stored, string? salt) =>
        ValueTask.FromResult((salt is not null || !NeedsSalt) && (place != SaltPlace.BeforeAsBytes || IsHex(salt!)) && EqualsHex(stored, Compute(password.Span, salt)));

    private byte[] Compute(ReadOnlySpan<byte> password, string? salt) => place switch
    {
        SaltPlace.Before => digest.Compute(Encoding.UTF8.GetBytes(salt!), password),
        SaltPlace.Behind => digest.Compute(password, Encoding.UTF8.GetBytes(salt!)),
        SaltPlace.BeforeAsBytes => digest.Compute(Convert.FromHexString(salt!), password),
        _ => digest.Compute(password, []),
    };

    private static bool IsHex(string salt) => salt.Length % 2 == 0 && salt.All(char.IsAsciiHexDigit);
}
