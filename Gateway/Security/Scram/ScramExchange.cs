using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Broker.Grains.Interfaces.Messages;

namespace Broker.Gateway.Security.Scram;

/// <summary>One SCRAM exchange, on the server's side: client-first → server-first, client-final → server-final.</summary>
/// <remarks>Every failure is 0x87: CONNACK and DISCONNECT both have it, and it does not tell what was wrong. An unknown user gets a challenge like others and fails at the end.
/// The passwords' many iterations are the client's work; here it is a few hashes.</remarks>
/// <param name="client">Who connects, or is connected: if it has a user name the exchange must be that user's.</param>
internal sealed class ScramExchange(ScramMechanism mechanism, IScramStore store, ClientInfo client, Func<string> makeNonce) : IEnhancedExchange
{
    /// <summary>A message is a name, a nonce and a proof; whoever sends more wants memory.</summary>
    private const int MostBytes = 4096;

    /// <summary>Salts of users that do not exist: the same for the same name, so that asking twice tells nothing.</summary>
    private static readonly byte[] Secret = RandomNumberGenerator.GetBytes(32);

    private ScramClientFirst? first;
    private ScramCredentials? credentials;
    private string serverFirst = "";
    private string nonce = "";
    private bool isKnown;

    public async ValueTask<EnhancedStep> NextAsync(ReadOnlyMemory<byte>? data)
    {
        if (data is not { Length: > 0 and <= MostBytes } message) return Deny("authentication data is missing or too long");
        if (first is not null) return Finish(message.Span);
        first = ScramClientFirst.Parse(message.Span, out var reason);
        if (first is null) return Deny(reason);
        if (!string.IsNullOrEmpty(client.UserName) && client.UserName != first.UserName) return Deny("the user is another than the connection's");
        ScramCredentials? found;
        try
        {
            found = await store.FindAsync(mechanism.Name, first.UserName);
        }
        catch (Exception fault) when (fault is not OutOfMemoryException) // an outage of the store, whatever it is
        {
            return EnhancedStep.Deny(ReasonCode.ServerBusy, $"credentials cannot be read: {fault.Message}");
        }

        isKnown = found is not null && found.Fits(mechanism);
        credentials = isKnown ? found! : MakeUp(first.UserName);
        nonce = first.Nonce + makeNonce();
        serverFirst = string.Create(CultureInfo.InvariantCulture, $"r={nonce},s={Convert.ToBase64String(credentials.Salt)},i={credentials.Iterations}");
        return new EnhancedStep(ReasonCode.ContinueAuthentication, Encoding.UTF8.GetBytes(serverFirst));
    }

    private EnhancedStep Finish(ReadOnlySpan<byte> data)
    {
        const string Proof = ",p=";
        if (ScramClientFirst.Decode(data) is not { } text) return Deny("the last message is not SCRAM's");
        var at = text.LastIndexOf(Proof, StringComparison.Ordinal);
        if (at < 0 || text[..at].Split(',') is not [var binding, var echoed, ..]) return Deny("the last message is not SCRAM's");
        if (binding != "c=" + Convert.ToBase64String(Encoding.ASCII.GetBytes(first!.Header))) return Deny("the last message's channel binding is not the first one's");
        if (echoed != "r=" + nonce) return Deny("the nonce is not the exchange's");
        Span<byte> proof = stackalloc byte[mechanism.Size];
        if (!Convert.TryFromBase64String(text[(at + Proof.Length)..], proof, out var size) || size != proof.Length) return Deny("the proof is none");

        var signed = Encoding.UTF8.GetBytes($"{first.Bare},{serverFirst},{text[..at]}");
        var key = mechanism.Hmac(credentials!.StoredKey, signed);
        for (var i = 0; i < key.Length; i++) key[i] ^= proof[i];
        var isRight = CryptographicOperations.FixedTimeEquals(mechanism.Hash(key), credentials.StoredKey);
        if (!isRight || !isKnown) return Deny(isKnown ? "wrong password" : "the user has no credentials for this method");
        var signature = mechanism.Hmac(credentials.ServerKey, signed);
        return new EnhancedStep(ReasonCode.Success, Encoding.ASCII.GetBytes("v=" + Convert.ToBase64String(signature))) { UserName = first.UserName, Grants = credentials.Grants };
    }

    private ScramCredentials MakeUp(string userName)
    {
        var salt = mechanism.Hmac(Secret, Encoding.UTF8.GetBytes($"{mechanism.Name}\0{userName}"));
        return new ScramCredentials(salt[..ScramCredentials.SaltSize], ScramCredentials.FewestIterations, new byte[mechanism.Size], new byte[mechanism.Size]);
    }

    private static EnhancedStep Deny(string reason) => EnhancedStep.Deny(ReasonCode.NotAuthorized, reason);
}
