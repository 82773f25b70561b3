using System.Diagnostics.CodeAnalysis;

namespace Broker.Gateway.Security.Passwords;

/// <summary>How a source keeps passwords: `plain`, `sha256`, `salt,sha256`, `sha256,salt`, `bcrypt`, `salt,bcrypt`, `bcrypt,salt`, `pbkdf2,sha256,1000,20`, ….</summary>
internal abstract class PasswordHash
{
    /// <summary>Whether the source must keep a salt beside the hash.</summary>
    public abstract bool NeedsSalt { get; }

    public static bool TryParse(string? specification, [NotNullWhen(true)] out PasswordHash? hash) => throw new NotImplementedException();

    /// <summary>Makes what is to be kept of a password, with a fresh salt.</summary>
    public abstract (string Hash, string? Salt) Make(ReadOnlySpan<byte> password);

    /// <summary>Compares in constant time. What takes long (bcrypt, PBKDF2) is computed on the thread pool, a few at a time.</summary>
    public abstract ValueTask<bool> VerifyAsync(ReadOnlyMemory<byte> password, string stored, string? salt);
}
