using System.Buffers;
using System.Text;
using System.Text.Json;
using Broker.Gateway.Security.Passwords;

namespace Broker.Gateway.Admin.Backup;

/// <summary>Passwords as EMQ X 4.x keeps them: four random bytes and the hash of these and the password. Of MQTT users the hash is its hexadecimal digits, of dashboard users its bytes.</summary>
internal static class EmqxPassword
{
    private const int SaltBytes = 4;
    private const string Salted = "hexsalt,";

    private static readonly SearchValues<byte> Digits = SearchValues.Create("0123456789abcdefABCDEF"u8);

    /// <summary>Hashes by the number of their hexadecimal digits.</summary>
    private static readonly Dictionary<int, string> ByLength = new() { [32] = "md5", [40] = "sha", [64] = "sha256", [128] = "sha512" };

    /// <summary>Reads an MQTT user's.</summary>
    /// <param name="isRaw">It may be without base64.</param>
    /// <returns>How it is kept; with method `plain` the password itself. Null if it is none of EMQ X's forms.</returns>
    public static (string Method, string Hash, string? Salt)? Read(string text, bool isRaw)
    {
        if (MethodOf(Encoding.UTF8.GetBytes(text)) is { } unsalted) return (unsalted, text, null);
        if (Decode(text) is { } bytes)
        {
            if (MethodOf(bytes) is { } method) return (method, Encoding.ASCII.GetString(bytes), null);
            if (bytes.Length > SaltBytes && MethodOf(bytes.AsSpan(SaltBytes)) is { } salted) return (Salted + salted, Encoding.ASCII.GetString(bytes, SaltBytes, bytes.Length - SaltBytes), Convert.ToHexStringLower(bytes, 0, SaltBytes));
            // `plain` has the salt twice.
            if (bytes.Length > 2 * SaltBytes && bytes.AsSpan(0, SaltBytes).SequenceEqual(bytes.AsSpan(SaltBytes, SaltBytes))) return Plain(bytes.AsSpan(2 * SaltBytes));
            if (!isRaw) return Plain(bytes);
        }

        return isRaw && text.Length > 0 ? ("plain", text, null) : null;
    }

    /// <summary>Reads a dashboard user's.</summary>
    /// <returns>Null if it is none of EMQ X's forms.</returns>
    public static (string Method, string Hash, string Salt)? ReadBinary(string text) => Decode(text) is { } bytes && bytes.Length > SaltBytes && ByLength.TryGetValue(2 * (bytes.Length - SaltBytes), out var method) && method != "sha512" // as long as the digits of sha256
        ? (Salted + method, Convert.ToHexStringLower(bytes.AsSpan(SaltBytes)), Convert.ToHexStringLower(bytes.AsSpan(0, SaltBytes)))
        : null;

    /// <summary>Whether a password is kept in the form that <see cref="ReadBinary"/> tells.</summary>
    public static bool Matches(string method, string hash, string salt, string password) =>
        Digest.Find(method[Salted.Length..]) is { } digest && Convert.ToHexStringLower(digest.Compute(Convert.FromHexString(salt), Encoding.UTF8.GetBytes(password))) == hash;

    /// <summary>Writes the member `password`, if EMQ X could check the password; otherwise there is none.</summary>
    /// <param name="isBinary">As dashboard users' are.</param>
    public static void Write(Utf8JsonWriter json, string? method, string hash, string? salt, bool isBinary)
    {
        if (method is null || !ByLength.ContainsValue(method.Replace(Salted, "", StringComparison.Ordinal))) return;
        if (method.StartsWith(Salted, StringComparison.Ordinal) ? salt?.Length != 2 * SaltBytes : isBinary) return;
        byte[] hashed = isBinary ? Convert.FromHexString(hash) : Encoding.ASCII.GetBytes(hash.ToLowerInvariant());
        json.WriteBase64String("password", [.. salt is null ? [] : Convert.FromHexString(salt), .. hashed]);
    }

    private static (string, string, string?)? Plain(ReadOnlySpan<byte> password)
    {
        try
        {
            return password.IsEmpty ? null : ("plain", new UTF8Encoding(false, throwOnInvalidBytes: true).GetString(password), null);
        }
        catch (DecoderFallbackException)
        {
            return null;
        }
    }

    private static string? MethodOf(ReadOnlySpan<byte> hash) => hash.ContainsAnyExcept(Digits) ? null : ByLength.GetValueOrDefault(hash.Length);

    private static byte[]? Decode(string text)
    {
        var bytes = new byte[text.Length];
        return Convert.TryFromBase64String(text, bytes, out var count) ? bytes[..count] : null;
    }
}
