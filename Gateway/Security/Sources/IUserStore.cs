using Broker.Gateway.Security.Rules;

namespace Broker.Gateway.Security.Sources;

/// <summary>A database that users and their rules are looked up in.</summary>
/// <remarks>The methods throw when the database cannot be asked; time-outs, outages and caches are their caller's business.</remarks>
internal interface IUserStore
{
    /// <summary>Whether it is asked for users.</summary>
    bool KnowsUsers { get; }

    /// <summary>Whether it is asked for rules.</summary>
    bool KnowsRules { get; }

    /// <summary>Whether it may have a user for a client. Who lacks what is looked up with is in no database: nobody is asked, so that nothing is learned of an outage either.</summary>
    bool MayKnow(ClientInfo client) => true;

    /// <summary>The same for rules.</summary>
    bool MayRule(ClientInfo client) => true;

    /// <summary>All that the answers depend on of a client.</summary>
    string KeyOf(ClientInfo client);

    /// <summary>What is kept of a client; null if it is not known.</summary>
    Task<StoredUser?> FindUserAsync(ClientInfo client, CancellationToken cancellation);

    /// <summary>The rules for a client; none if there are none. An allow-list ends with a rule that denies the rest.</summary>
    Task<RuleSet> FindRulesAsync(ClientInfo client, CancellationToken cancellation);
}

/// <summary>A stored user.</summary>
/// <param name="Hash">Of the password, as the source's <see cref="Passwords.PasswordHash"/> has it; null matches no password.</param>
/// <param name="Salt">Null if it has none.</param>
/// <param name="IsSuperuser">Access rules do not hold for it.</param>
internal sealed record StoredUser(string? Hash, string? Salt, bool IsSuperuser);
