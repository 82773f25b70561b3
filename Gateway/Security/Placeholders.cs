namespace Broker.Gateway.Security;

/// <summary>What a placeholder in an operator's query or request stands for.</summary>
internal static class Placeholders
{
    /// <summary>The value of one placeholder (`%u`, `%c`, `%a`, `%C`, `%d`, `%r`, `%p`, `%m`); null if the client has none.</summary>
    /// <param name="name">The letter behind the percent sign.</param>
    public static string? Resolve(char name, ClientInfo client) => throw new NotImplementedException();
}
