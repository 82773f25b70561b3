using System.Security.Cryptography;
using System.Text;

namespace Broker.Gateway.Security.Scram;

/// <summary>What the server keeps of a SCRAM user: enough to check a proof, not enough to make one.</summary>
/// <param name="Iterations">At least <see cref="FewestIterations"/>; credentials with fewer are not taken.</param>
internal sealed record ScramCredentials(byte[] Salt, int Iterations, byte[] StoredKey, byte[] ServerKey)
{
    /// <summary>The least that RFC 5802 and RFC 7677 ask for, and EMQ X's default.</summary>
    public const int FewestIterations = 4096;

    /// <summary>Bytes of a salt that is made here.</summary>
    public const int SaltSize = 16;

    /// <summary>What the user gets when it has proved itself; null if nothing.</summary>
    public ClientGrants? Grants { get; init; }

    /// <summary>Makes credentials of a password. Takes milliseconds and more: not for an event loop.</summary>
    /// <param name="password">Its UTF-8 bytes are used as they are, without SASLprep.</param>
    /// <param name="salt">Null makes a random one.</param>
    /// <exception cref="ArgumentOutOfRangeException">Too few iterations.</exception>
    public static ScramCredentials Make(ScramMechanism mechanism, string password, int iterations = FewestIterations, byte[]? salt = null)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(iterations, FewestIterations);
        salt ??= RandomNumberGenerator.GetBytes(SaltSize);
        var salted = Rfc2898DeriveBytes.Pbkdf2(Encoding.UTF8.GetBytes(password), salt, iterations, mechanism.Algorithm, mechanism.Size);
        var credentials = new ScramCredentials(salt, iterations, mechanism.Hash(mechanism.Hmac(salted, "Client Key"u8)), mechanism.Hmac(salted, "Server Key"u8));
        CryptographicOperations.ZeroMemory(salted);
        return credentials;
    }

    /// <summary>Whether an exchange can use them.</summary>
    public bool Fits(ScramMechanism mechanism) =>
        Iterations >= FewestIterations && Salt.Length > 0 && StoredKey.Length == mechanism.Size && ServerKey.Length == mechanism.Size;
}
