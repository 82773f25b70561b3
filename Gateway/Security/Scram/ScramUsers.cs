using System.Text.Json.Serialization;
using Broker.Gateway.Records;
using Broker.Grains.Interfaces.Records;

namespace Broker.Gateway.Security.Scram;

/// <summary>The broker's own SCRAM users, as this process knows them.</summary>
internal sealed class ScramUsers() : RecordTable<ScramCredentials>("scram", ScramJson.Default.ScramCredentials), IScramStore
{
    /// <summary>A user's key in the store; each mechanism has credentials of its own.</summary>
    public static string KeyOf(ScramMechanism mechanism, string userName) => $"{mechanism.Name}/{userName}";

    protected override string? FaultOf(string key, ScramCredentials value) =>
        ScramMechanism.Find(key.Split('/')[0]) is { } mechanism && value is { Salt: not null, StoredKey: not null, ServerKey: not null } && value.Fits(mechanism) ? null : "no credentials of a mechanism";

    public ValueTask<ScramCredentials?> FindAsync(string mechanism, string userName) => ValueTask.FromResult(Find($"{mechanism}/{userName}")?.Value);
}

/// <summary>Manages the broker's own SCRAM users, at run time and for the whole cluster.</summary>
internal sealed class ScramAccess(RecordFeed records, ScramUsers users)
{
    /// <summary>Adds a user, or gives one another password.</summary>
    /// <param name="iterations">How often the client hashes its password.</param>
    /// <param name="condition">Whether it must be a new one, or one that is there.</param>
    /// <param name="salt">Null makes a random one.</param>
    /// <exception cref="ArgumentException">The name is empty, or there are too few iterations.</exception>
    /// <exception cref="RecordsUnavailableException">The store takes no changes now.</exception>
    public async Task<RecordOutcome> PutAsync(
        ScramMechanism mechanism, string userName, string password, int iterations = ScramCredentials.FewestIterations, RecordCondition condition = RecordCondition.Always, byte[]? salt = null)
    {
        ArgumentException.ThrowIfNullOrEmpty(userName);
        var credentials = await Task.Run(() => ScramCredentials.Make(mechanism, password, iterations, salt));
        return (await records.WriteAsync(users.Put(ScramUsers.KeyOf(mechanism, userName), credentials, condition)))[0];
    }

    /// <summary>Removes a user. Its connections stay.</summary>
    /// <returns><see cref="RecordOutcome.Missing"/> if there is none of that name.</returns>
    /// <exception cref="RecordsUnavailableException">The store takes no changes now.</exception>
    public async Task<RecordOutcome> RemoveAsync(ScramMechanism mechanism, string userName) =>
        (await records.WriteAsync(users.Delete(ScramUsers.KeyOf(mechanism, userName))))[0];
}

[JsonSerializable(typeof(ScramCredentials))]
internal sealed partial class ScramJson : JsonSerializerContext;
