using System.Text;

namespace Broker.Gateway.Security.Scram;

/// <summary>The client's first message: `n,,n=user,r=nonce`.</summary>
/// <param name="Header">The part before the user name, `n,,` or `y,,`: the last message repeats it.</param>
/// <param name="Bare">The part behind it.</param>
internal sealed record ScramClientFirst(string Header, string Bare, string UserName, string Nonce)
{
    private static readonly UTF8Encoding Strict = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    /// <returns>Null if it is no such message, with the reason for the operator; never throws.</returns>
    public static ScramClientFirst? Parse(ReadOnlySpan<byte> data, out string reason)
    {
        reason = "the first message is not SCRAM's";
        if (Decode(data) is not { } text || text.Split(',') is not [var binding, var identity, var user, var nonce, ..]) return null;
        if (binding.StartsWith('p')) reason = "channel binding is not supported";
        else if (identity.Length > 0) reason = "acting for another user is not supported";
        else if (user.StartsWith('m')) reason = "an extension that is not known is demanded"; // RFC 5802, 5.1: such an exchange fails
        if (binding is not ("n" or "y") || identity.Length > 0 || !user.StartsWith("n=", StringComparison.Ordinal)) return null;
        if (!nonce.StartsWith("r=", StringComparison.Ordinal) || !IsNonce(nonce.AsSpan(2))) return null;
        if (Unescape(user[2..]) is not { Length: > 0 } name) return null;
        return new ScramClientFirst(binding + ",,", text[3..], name, nonce[2..]);
    }

    /// <summary>UTF-8 without NUL; null if it is not.</summary>
    public static string? Decode(ReadOnlySpan<byte> data)
    {
        try
        {
            return data.Contains((byte)0) ? null : Strict.GetString(data);
        }
        catch (DecoderFallbackException)
        {
            return null;
        }
    }

    private static bool IsNonce(ReadOnlySpan<char> nonce) => nonce.Length > 0 && !nonce.ContainsAnyExceptInRange('!', '~');

    /// <summary>`=2C` is a comma and `=3D` an equals sign; any other `=` is an error.</summary>
    private static string? Unescape(string name)
    {
        for (var at = name.IndexOf('=', StringComparison.Ordinal); at >= 0; at = name.IndexOf('=', at + 1))
        {
            if (!name.AsSpan(at).StartsWith("=2C") && !name.AsSpan(at).StartsWith("=3D")) return null;
        }

        return name.Replace("=2C", ",", StringComparison.Ordinal).Replace("=3D", "=", StringComparison.Ordinal);
    }
}
