using Broker.Gateway.Security.Rules;
using StackExchange.Redis;

namespace Broker.Gateway.Security.Sources.Redis;

/// <summary>Users and allow-lists in Redis, found with the operator's commands.</summary>
internal sealed class RedisUserStore(RedisOptions options) : IUserStore, IAsyncDisposable
{
    private readonly RedisConnection connection = new(options);
    private readonly RedisCommand? auth = Parse(options.AuthCommand), super = Parse(options.SuperCommand), acl = Parse(options.AclCommand);

    public bool KnowsUsers => auth is not null;

    public bool KnowsRules => acl is not null;

    /// <summary>What is wrong with settings beside those that all servers have.</summary>
    public static IEnumerable<(string Key, string Fault)> Faults(RedisOptions options)
    {
        foreach (var (key, text) in new[] { (nameof(options.AuthCommand), options.AuthCommand), (nameof(options.SuperCommand), options.SuperCommand), (nameof(options.AclCommand), options.AclCommand) })
        {
            if (text.Length > 0 && !RedisCommand.TryParse(text, out _, out var fault)) yield return (key, $" = '{text}': {fault}");
        }

        if (options.Type == "sentinel" && options.Sentinel.Length == 0) yield return (nameof(options.Sentinel), " is empty: it must be the name by which the sentinels know the master");
        if (options.Type == "cluster" && options.Database != 0) yield return (nameof(options.Database), $" = {options.Database}: a cluster has 0 only");
    }

    public bool MayKnow(ClientInfo client) => auth!.IsFor(client);

    public bool MayRule(ClientInfo client) => acl!.IsFor(client);

    public string KeyOf(ClientInfo client) => CacheKey.Of(auth?.KeyOf(client), super?.KeyOf(client), acl?.KeyOf(client));

    public async Task<StoredUser?> FindUserAsync(ClientInfo client, CancellationToken cancellation)
    {
        var database = await connection.OpenAsync(cancellation);
        var (user, superuser) = (auth!.ExecuteAsync(database, client), super?.ExecuteAsync(database, client) ?? Task.FromResult<RedisResult?>(null));
        await Task.WhenAll(user, superuser);
        return ValuesOf(await user) is [{ } hash, .. var rest] ? new StoredUser(hash, rest is [var salt, ..] ? salt : null, ValuesOf(await superuser) is ["1", ..]) : null;
    }

    public async Task<RuleSet> FindRulesAsync(ClientInfo client, CancellationToken cancellation)
    {
        if (await acl!.ExecuteAsync(await connection.OpenAsync(cancellation), client) is not { Length: > 0 } result) return RuleSet.Empty;
        var list = new AllowList();
        foreach (var (filter, access) in result.ToDictionary(StringComparer.Ordinal))
        {
            if ((string?)access is "1" or "2" or "3") list.Add((RuleAccess)(int)access, filter);
        }

        return list.Close();
    }

    public ValueTask DisposeAsync() => connection.DisposeAsync();

    /// <summary>Commands answer with one value or with several.</summary>
    private static string?[] ValuesOf(RedisResult? result) => result is null ? [] : result.Length < 0 ? [(string?)result] : Array.ConvertAll((RedisResult[])result!, one => (string?)one);

    private static RedisCommand? Parse(string text) => text.Length == 0 ? null : RedisCommand.TryParse(text, out var command, out var fault) ? command : throw new FormatException(fault);
}
