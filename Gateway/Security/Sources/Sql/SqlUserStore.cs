using System.Data.Common;
using System.Globalization;
using Broker.Gateway.Security.Rules;

namespace Broker.Gateway.Security.Sources.Sql;

/// <summary>Users and rules in a relational database, found with the operator's queries.</summary>
/// <param name="database">Pools connections; it is disposed with the store.</param>
/// <param name="options">The queries, which have been validated.</param>
internal sealed class SqlUserStore(DbDataSource database, SqlOptions options) : IUserStore, IAsyncDisposable
{
    private readonly SqlQuery? auth = Parse(options.AuthQuery), super = Parse(options.SuperQuery), acl = Parse(options.AclQuery);

    public bool KnowsUsers => auth is not null;

    public bool KnowsRules => acl is not null;

    /// <summary>What is wrong with settings beside those that all servers have.</summary>
    public static IEnumerable<(string Key, string Fault)> Faults(SqlOptions options)
    {
        foreach (var (key, query) in new[] { (nameof(options.AuthQuery), options.AuthQuery), (nameof(options.SuperQuery), options.SuperQuery), (nameof(options.AclQuery), options.AclQuery) })
        {
            if (!SqlQuery.TryParse(query, out _, out var fault)) yield return (key, $": {fault}");
        }
    }

    public string KeyOf(ClientInfo client) => CacheKey.Of(auth?.KeyOf(client), super?.KeyOf(client), acl?.KeyOf(client));

    public async Task<StoredUser?> FindUserAsync(ClientInfo client, CancellationToken cancellation)
    {
        await using var connection = await database.OpenConnectionAsync(cancellation);
        string? hash, salt;
        await using (var row = await auth!.ExecuteAsync(connection, client))
        {
            if (!await row.ReadAsync(CancellationToken.None)) return null;
            (hash, salt) = (Text(row, "password"), Text(row, "salt"));
        }

        return new StoredUser(hash, salt, super is not null && await IsSuperuserAsync(super, connection, client));
    }

    public async Task<RuleSet> FindRulesAsync(ClientInfo client, CancellationToken cancellation)
    {
        await using var connection = await database.OpenConnectionAsync(cancellation);
        await using var row = await acl!.ExecuteAsync(connection, client);
        var rules = new List<Rule>();
        while (await row.ReadAsync(CancellationToken.None))
        {
            if (RuleOf(row) is { } rule) rules.Add(rule);
        }

        if (options.AclOrder == "last") rules.Reverse();
        return new RuleSet(rules);
    }

    public ValueTask DisposeAsync() => database.DisposeAsync();

    private static SqlQuery? Parse(string text) => text.Length == 0 ? null : SqlQuery.TryParse(text, out var query, out var fault) ? query : throw new FormatException(fault);

    private static async Task<bool> IsSuperuserAsync(SqlQuery query, DbConnection connection, ClientInfo client)
    {
        await using var row = await query.ExecuteAsync(connection, client);
        return await row.ReadAsync() && !row.IsDBNull(0) && Convert.ToBoolean(row.GetValue(0), CultureInfo.InvariantCulture);
    }

    /// <returns>Null if the row names nobody, or says neither who may nor what.</returns>
    private static Rule? RuleOf(DbDataReader row)
    {
        var (address, user, client, topic) = (Text(row, "ipaddr"), Text(row, "username"), Text(row, "clientid"), Text(row, "topic"));
        var access = (RuleAccess)Number(row, "access");
        if (topic is null || access is < RuleAccess.Subscribe or > RuleAccess.Both) return null;
        var who = new List<IWho>();
        if (user == "$all")
        {
            who.Add(Who.Everybody); // whatever the other columns say
        }
        else
        {
            if (!string.IsNullOrEmpty(address)) who.Add(Who.TryParseNetwork(address, out var network) ? Who.Address(network) : Who.Or());
            if (!string.IsNullOrEmpty(user)) who.Add(Who.User(user));
            if (!string.IsNullOrEmpty(client)) who.Add(Who.Client(client));
        }

        if (who.Count == 0) return null;
        var allows = Number(row, "allow") == 1;
        return new Rule(allows, Who.And(who), access, [TopicPattern.Parse(topic)])
        {
            Text = $"{(allows ? "allow" : "deny")} {user ?? client ?? address} {access} {topic}",
        };
    }

    /// <summary>A column by its name, whatever the order; null if it is not there.</summary>
    private static string? Text(DbDataReader row, string column)
    {
        for (var i = 0; i < row.FieldCount; i++)
        {
            if (!row.GetName(i).Equals(column, StringComparison.OrdinalIgnoreCase)) continue;
            if (row.IsDBNull(i)) return null;
            var value = row.GetValue(i);
            return value is byte[] bytes ? System.Text.Encoding.UTF8.GetString(bytes) : Convert.ToString(value, CultureInfo.InvariantCulture);
        }

        return null;
    }

    private static int Number(DbDataReader row, string column) => Text(row, column) switch
    {
        "True" or "true" => 1,
        var text => int.TryParse(text, NumberStyles.Integer, CultureInfo.InvariantCulture, out var number) ? number : 0,
    };
}
