using Broker.Gateway.Security.Rules;
using MongoDB.Bson;
using MongoDB.Driver;

namespace Broker.Gateway.Security.Sources.MongoDb;

/// <summary>Users and allow-lists in MongoDB, found with the operator's selectors.</summary>
internal sealed class MongoUserStore : IUserStore, IDisposable
{
    private readonly MongoOptions options;
    private readonly MongoClient connection;
    private readonly IMongoDatabase database;
    private readonly MongoSelector auth, super, acl;
    private readonly string passwordField;
    private readonly string? saltField;

    public MongoUserStore(MongoOptions options)
    {
        this.options = options;
        connection = MongoConnection.Open(options);
        database = connection.GetDatabase(options.Database);
        (auth, super, acl) = (new MongoSelector(options.AuthSelector), new MongoSelector(options.SuperSelector), new MongoSelector(options.EffectiveAclSelectors));
        var fields = options.PasswordField.Split(',', StringSplitOptions.TrimEntries);
        (passwordField, saltField) = (fields[0], fields.Length > 1 ? fields[1] : null);
    }

    public bool KnowsUsers => options.AuthCollection.Length > 0;

    public bool KnowsRules => options.AclCollection.Length > 0;

    /// <summary>What is wrong with settings beside those that all servers have.</summary>
    public static IEnumerable<(string Key, string Fault)> Faults(MongoOptions options)
    {
        (string Key, string Text)[] selectors =
        [
            (nameof(options.AuthSelector), options.AuthSelector), (nameof(options.SuperSelector), options.SuperSelector),
            .. options.EffectiveAclSelectors.Select((text, at) => ($"{nameof(options.AclSelectors)}:{at}", text)),
        ];
        foreach (var (key, text) in selectors)
        {
            if (MongoSelector.FaultOf(text) is { } fault) yield return (key, $" = '{text}': {fault}");
        }

        if (options.Type == "rs" && options.ReplicaSet.Length == 0) yield return (nameof(options.ReplicaSet), " is empty: a replica set has a name");
    }

    public bool MayKnow(ClientInfo client) => auth.For(client) is not null;

    public bool MayRule(ClientInfo client) => acl.For(client) is not null;

    public string KeyOf(ClientInfo client) => CacheKey.Of(auth.For(client)?.ToJson(), super.For(client)?.ToJson(), acl.For(client)?.ToJson());

    public async Task<StoredUser?> FindUserAsync(ClientInfo client, CancellationToken cancellation)
    {
        if (await FindFirstAsync(options.AuthCollection, auth, client, cancellation) is not { } user) return null;
        var superuser = await FindFirstAsync(options.SuperCollection, super, client, cancellation);
        return new StoredUser(Text(user, passwordField), saltField is null ? null : Text(user, saltField), superuser is not null && superuser.TryGetValue(options.SuperField, out var value) && IsTrue(value));
    }

    public async Task<RuleSet> FindRulesAsync(ClientInfo client, CancellationToken cancellation)
    {
        if (acl.For(client) is not { } query) return RuleSet.Empty;
        var documents = await database.GetCollection<BsonDocument>(options.AclCollection).Find(query).ToListAsync(cancellation);
        if (documents.Count == 0) return RuleSet.Empty;
        var list = new AllowList();
        foreach (var document in documents)
        {
            Add(list, document, "publish", RuleAccess.Publish);
            Add(list, document, "subscribe", RuleAccess.Subscribe);
            Add(list, document, "pubsub", RuleAccess.Both);
        }

        return list.Close();
    }

    public void Dispose() => connection.Dispose();

    private static void Add(AllowList list, BsonDocument document, string field, RuleAccess access)
    {
        if (!document.TryGetValue(field, out var filters) || !filters.IsBsonArray) return;
        foreach (var filter in filters.AsBsonArray)
        {
            if (filter.IsString) list.Add(access, filter.AsString);
        }
    }

    private static string? Text(BsonDocument document, string field) => document.TryGetValue(field, out var value) && value.IsString ? value.AsString : null;

    private static bool IsTrue(BsonValue value) => value.IsBoolean ? value.AsBoolean : value.IsNumeric && value.ToInt64() == 1;

    private async Task<BsonDocument?> FindFirstAsync(string collection, MongoSelector selector, ClientInfo client, CancellationToken cancellation) =>
        collection.Length > 0 && selector.For(client) is { } query ? await database.GetCollection<BsonDocument>(collection).Find(query).FirstOrDefaultAsync(cancellation) : null;
}
