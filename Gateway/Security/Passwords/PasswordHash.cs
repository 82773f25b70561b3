using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace Broker.Gateway.Security.Passwords;

/// <summary>How a source keeps passwords, as EMQ X names it: `plain`, `sha256`, `salt,sha256`, `sha256,salt`, `hexsalt,sha256` (the salt is bytes, kept as hexadecimal digits), `bcrypt`, `salt,bcrypt`, `bcrypt,salt`, `pbkdf2,sha256,1000,20`, ….</summary>
internal abstract class PasswordHash
{
    private const int SaltBytes = 16;
    private const int MostIterations = 10_000_000;
    private const int LongestKey = 1_024;

    /// <summary>Whether the source must keep a salt beside the hash.</summary>
    public abstract bool NeedsSalt { get; }

    /// <summary>Reads a specification that has been validated.</summary>
    /// <exception cref="FormatException">It is none.</exception>
    public static PasswordHash Parse(string specification) => TryParse(specification, out var hash) ? hash : throw new FormatException(specification);

    /// <summary>Reads a specification; case does not matter.</summary>
    public static bool TryParse(string? specification, [NotNullWhen(true)] out PasswordHash? hash)
    {
        hash = (specification ?? "").ToLowerInvariant().Split(',', StringSplitOptions.TrimEntries) switch
        {
            ["plain"] => new PlainPassword(),
            ["bcrypt"] => new BcryptPassword(hasOwnSalt: true),
            ["salt", "bcrypt"] or ["bcrypt", "salt"] => new BcryptPassword(hasOwnSalt: false),
            ["pbkdf2", var mac, var iterations, var length] when Digest.Find(mac) is { } digest && Number(iterations, MostIterations) is { } count
                && Number(length, LongestKey) is { } bytes => new Pbkdf2Password(digest, count, bytes),
            [var name] when Digest.Find(name) is { IsForPasswords: true } digest => new DigestPassword(digest, SaltPlace.None),
            ["hexsalt", var name] when Digest.Find(name) is { IsForPasswords: true } digest => new DigestPassword(digest, SaltPlace.BeforeAsBytes),
            ["salt", var name] when Digest.Find(name) is { IsForPasswords: true } digest => new DigestPassword(digest, SaltPlace.Before),
            [var name, "salt"] when Digest.Find(name) is { IsForPasswords: true } digest => new DigestPassword(digest, SaltPlace.Behind),
            _ => null,
        };
        return hash is not null;
    }

    /// <summary>Makes what is to be kept of a password, with a fresh salt.</summary>
    public abstract (string Hash, string? Salt) Make(ReadOnlySpan<byte> password);

    /// <summary>Compares in constant time; what is stored in another form than this is not the password's. What takes long is computed on the thread pool, a few at a time.</summary>
    /// <param name="password">As it came.</param>
    /// <param name="stored">The hash, in hexadecimal digits of either case unless it is `plain` or `bcrypt`.</param>
    /// <param name="salt">Null if there is none.</param>
    public abstract ValueTask<bool> VerifyAsync(ReadOnlyMemory<byte> password, string stored, string? salt);

    /// <summary>A salt that fits into any column.</summary>
    protected static string NewSalt() => RandomNumberGenerator.GetHexString(SaltBytes, lowercase: true);

    /// <summary>Whether hexadecimal text stands for some bytes.</summary>
    protected static bool EqualsHex(string stored, ReadOnlySpan<byte> computed)
    {
        Span<byte> bytes = stackalloc byte[LongestKey];
        return stored.Length == computed.Length * 2
            && Convert.FromHexString(stored, bytes, out _, out var written) == System.Buffers.OperationStatus.Done
            && CryptographicOperations.FixedTimeEquals(bytes[..written], computed);
    }

    private static int? Number(string text, int most) =>
        int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number >= 1 && number <= most ? number : null;
}

/// <summary>Kept as it is.</summary>
internal sealed class PlainPassword : PasswordHash
{
    public override bool NeedsSalt => false;

    public override (string Hash, string? Salt) Make(ReadOnlySpan<byte> password) => (Encoding.UTF8.GetString(password), null);

    public override ValueTask<bool> VerifyAsync(ReadOnlyMemory<byte> password, string stored, string? salt) =>
        ValueTask.FromResult(CryptographicOperations.FixedTimeEquals(password.Span, Encoding.UTF8.GetBytes(stored)));
}
