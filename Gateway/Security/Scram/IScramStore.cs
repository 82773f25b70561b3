namespace Broker.Gateway.Security.Scram;

/// <summary>Where the credentials of SCRAM users are kept.</summary>
internal interface IScramStore
{
    /// <summary>What is kept of a user for a mechanism; null if it is not known. Throws if it cannot be asked; must not block.</summary>
    /// <param name="mechanism">`SCRAM-SHA-1`, `SCRAM-SHA-256` or `SCRAM-SHA-512`: each has credentials of its own.</param>
    ValueTask<ScramCredentials?> FindAsync(string mechanism, string userName);
}
