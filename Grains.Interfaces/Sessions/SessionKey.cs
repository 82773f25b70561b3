namespace Broker.Grains.Interfaces.Sessions;

/// <summary>The grain key of a durable session: `c:` and the client identifier, as a bare one might read as a number.</summary>
public static class SessionKey
{
    private const string Prefix = "c:";

    public static string Of(string clientId) => Prefix + clientId;

    public static string ClientIdOf(string key) => key[Prefix.Length..];
}
