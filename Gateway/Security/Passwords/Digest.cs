using Org.BouncyCastle.Crypto;
using Org.BouncyCastle.Crypto.Digests;

namespace Broker.Gateway.Security.Passwords;

/// <summary>A hash function by the name that EMQ X's settings have for it.</summary>
/// <param name="Make">A new instance for one computation.</param>
/// <param name="IsForPasswords">Whether passwords may be kept as its digest; the others are for PBKDF2 alone.</param>
internal sealed record Digest(Func<IDigest> Make, bool IsForPasswords)
{
    private static readonly Dictionary<string, Digest> ByName = new()
    {
        ["md4"] = new(static () => new MD4Digest(), false),
        ["md5"] = new(static () => new MD5Digest(), true),
        ["ripemd160"] = new(static () => new RipeMD160Digest(), false),
        ["sha"] = new(static () => new Sha1Digest(), true),
        ["sha224"] = new(static () => new Sha224Digest(), false),
        ["sha256"] = new(static () => new Sha256Digest(), true),
        ["sha384"] = new(static () => new Sha384Digest(), false),
        ["sha512"] = new(static () => new Sha512Digest(), true),
    };

    public static Digest? Find(string name) => ByName.GetValueOrDefault(name);

    /// <summary>The digest of some parts, one behind the other.</summary>
    public byte[] Compute(ReadOnlySpan<byte> first, ReadOnlySpan<byte> second)
    {
        var digest = Make();
        digest.BlockUpdate(first);
        digest.BlockUpdate(second);
        var result = new byte[digest.GetDigestSize()];
        digest.DoFinal(result);
        return result;
    }
}
