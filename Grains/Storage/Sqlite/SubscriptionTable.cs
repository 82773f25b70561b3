using Broker.Grains.Interfaces.Messages;
using Broker.Grains.Interfaces.Sessions;
using Broker.Grains.Storage.Writes;

namespace Broker.Grains.Storage.Sqlite;

/// <summary>Subscriptions of durable sessions. Writer thread.</summary>
internal sealed class SubscriptionTable(SqliteLink link)
{
    /// <summary>The columns <see cref="ReadRow"/> reads, in its order.</summary>
    public const string Columns = "topic_filter, subscription_number, shard, qos, no_local, retain_as_published, retain_handling, identifier, retained_from";

    private readonly SqliteStatement save = link.Prepare($"""
        INSERT INTO subscription ({Columns}, session_key) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)
        ON CONFLICT (session_key, topic_filter) DO UPDATE SET subscription_number = ?2, shard = ?3, qos = ?4, no_local = ?5,
            retain_as_published = ?6, retain_handling = ?7, identifier = ?8, retained_from = ?9
        """);

    private readonly SqliteStatement delete = link.Prepare("DELETE FROM subscription WHERE session_key = ?1 AND topic_filter = ?2");
    private readonly SqliteStatement deleteAll = link.Prepare("DELETE FROM subscription WHERE session_key = ?1");
    private readonly SqliteStatement select = link.Prepare($"SELECT {Columns} FROM subscription WHERE session_key = ?1");

    public void Save(SaveSubscription write)
    {
        var (filter, number, shard, options) = write.Subscription;
        save.Bind(1, filter).Bind(2, number).Bind(3, shard).Bind(4, (long)options.Qos).Bind(5, options.NoLocal ? 1 : 0)
            .Bind(6, options.RetainAsPublished ? 1 : 0).Bind(7, (long)options.RetainHandling).Bind(8, options.Identifier)
            .Bind(9, write.Subscription.RetainedFrom).Bind(10, write.Lease.Key).Run();
    }

    public void Remove(RemoveSubscription write) => delete.Bind(1, write.Lease.Key).Bind(2, write.Filter).Run();

    public void RemoveAll(long sessionKey) => deleteAll.Bind(1, sessionKey).Run();

    public List<SessionSubscription> Read(long sessionKey)
    {
        var rows = new List<SessionSubscription>();
        select.Bind(1, sessionKey);
        while (select.Read()) rows.Add(ReadRow(select));
        return rows;
    }

    /// <summary>Reads <see cref="Columns"/>, which must come first in the row.</summary>
    public static SessionSubscription ReadRow(SqliteStatement row) => new(row.Text(0), row.Number(1), (int)row.Number(2), new SubscriptionOptions(
        (Qos)row.Number(3), row.Flag(4), row.Flag(5), (RetainHandling)row.Number(6), (int)row.Number(7)))
    {
        RetainedFrom = row.TextOrNull(8),
    };
}
