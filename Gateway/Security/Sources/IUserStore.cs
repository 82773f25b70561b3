using Broker.Gateway.Security.Rules;

namespace Broker.Gateway.Security.Sources;

/// <summary>A database that users and their rules are looked up in.</summary>
/// <remarks>Each method throws when the database cannot be asked; time-outs and outages are its caller's business.</remarks>
internal interface IUserStore
{
    /// <summary>What is kept of a client's password; null if it is not known.</summary>
    Task<StoredPassword?> FindPasswordAsync(ClientInfo client, CancellationToken cancellation);

    /// <summary>Whether access rules do not hold for a client. Asked after its password was right.</summary>
    Task<bool> IsSuperuserAsync(ClientInfo client, CancellationToken cancellation);

    /// <summary>The rules for a client; empty if there are none. An allow-list ends with a rule that denies the rest.</summary>
    Task<IReadOnlyList<Rule>> FindRulesAsync(ClientInfo client, CancellationToken cancellation);
}

/// <summary>A stored password.</summary>
internal sealed record StoredPassword(string Hash, string? Salt);
