using System.Security.Cryptography;
using System.Text;
using Bcrypt = BCrypt.Net.BCrypt;

namespace Broker.Gateway.Security.Passwords;

/// <summary>Kept as bcrypt's text, whose first 29 characters are version, cost and salt.</summary>
/// <param name="hasOwnSalt">Whether those come from the hash itself, and not from a salt beside it.</param>
internal sealed class BcryptPassword(bool hasOwnSalt) : PasswordHash
{
    private const int SettingsLength = 29;
    private const int Cost = 10;

    /// <summary>bcrypt takes no more of a password.</summary>
    private const int LongestPassword = 72;

    public override bool NeedsSalt => !hasOwnSalt;

    public override (string Hash, string? Salt) Make(ReadOnlySpan<byte> password)
    {
        var settings = Bcrypt.GenerateSalt(Cost);
        return (Compute(password, settings) ?? throw new ArgumentException("bcrypt takes passwords of UTF-8 text only."), hasOwnSalt ? null : settings);
    }

    public override ValueTask<bool> VerifyAsync(ReadOnlyMemory<byte> password, string stored, string? salt)
    {
        var settings = hasOwnSalt ? stored : salt;
        if (settings is null || settings.Length < SettingsLength) return ValueTask.FromResult(false);
        return SlowHash.ComputeAsync(() => Compute(password.Span, settings[..SettingsLength]) is { } computed
            && CryptographicOperations.FixedTimeEquals(Encoding.UTF8.GetBytes(computed), Encoding.UTF8.GetBytes(stored)));
    }

    private static string? Compute(ReadOnlySpan<byte> password, string settings)
    {
        try
        {
            return Bcrypt.HashPassword(new UTF8Encoding(false, throwOnInvalidBytes: true).GetString(password), settings);
        }
        catch (Exception fault) when (fault is ArgumentException or FormatException or BCrypt.Net.SaltParseException)
        {
            return null; // not bcrypt's settings, or no text
        }
    }
}
