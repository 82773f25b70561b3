using Broker.Grains.Interfaces.Records;
using Microsoft.Data.Sqlite;

namespace Broker.Grains.Storage.Sqlite;

/// <summary>The connection that reads beside the writer: it sees what is committed and holds nothing up. One read at a time, any thread.</summary>
internal sealed class SqliteReader : IDisposable
{
    private readonly SqliteLink link;
    private readonly MessageCodec codec;
    private readonly SqliteStatement subscriptions;
    private readonly SqliteStatement retained;
    private readonly SqliteStatement sessions;
    private readonly SqliteStatement due;
    private readonly SqliteStatement wills;
    private readonly SqliteStatement nodesWithWills;
    private readonly SqliteStatement records;
    private readonly string node;

    public SqliteReader(SqliteOptions options, MessageCodec codec, string node)
    {
        (this.codec, this.node) = (codec, node);
        link = new SqliteLink(options, SqliteOpenMode.ReadOnly);
        subscriptions = link.Prepare($"""
            SELECT {SubscriptionTable.Columns}, client_id FROM subscription JOIN session ON session.session_key = subscription.session_key
            WHERE shard IN (?1, {SessionSubscription.Broad})
            """);
        retained = link.Prepare(
            "SELECT retained_key, body FROM retained WHERE partition_number = ?1 AND retained_key > ?2 ORDER BY retained_key LIMIT ?3");
        sessions = link.Prepare("""
            SELECT client_id, protocol_version, expiry_interval, connected, created_at, disconnected_at, user_name
            FROM session WHERE partition_number = ?1
            """);
        due = link.Prepare("SELECT client_id FROM session WHERE due_at IS NOT NULL AND due_at <= ?1 ORDER BY due_at LIMIT ?2");
        wills = link.Prepare("SELECT client_id, connection_number, body, delay_seconds, expiry_seconds FROM will WHERE node = ?1");
        records = link.Prepare("SELECT version, table_name, record_key, value, expires_at FROM record WHERE version > ?1 ORDER BY version LIMIT ?2");
        nodesWithWills = link.Prepare("SELECT DISTINCT node FROM will WHERE node <> ?1");
        Delayed = new SqliteDelayedReader(link, codec);
    }

    /// <summary>Reads messages that wait.</summary>
    public SqliteDelayedReader Delayed { get; }

    public List<ShardSubscription> ReadSubscriptions(int shard) => ReadAll(
        subscriptions.Bind(1, shard), static row => new ShardSubscription(row.Text(9), SubscriptionTable.ReadRow(row)));

    public StoredRetained ReadRetained(int partition, long after, int limit)
    {
        var rows = ReadAll(retained.Bind(1, partition).Bind(2, after).Bind(3, limit), static row => (Key: row.Number(0), Body: row.Bytes(1)));
        return new StoredRetained(rows.ConvertAll(row => codec.Decode(row.Body)), rows.Count == 0 ? after : rows[^1].Key);
    }

    public List<SessionSummary> ReadSessions(int partition) => ReadAll(
        sessions.Bind(1, partition),
        static row => new SessionSummary(row.Text(0), (byte)row.Number(1), (uint)row.Number(2), row.Flag(3), row.Number(4))
        {
            DisconnectedAt = row.NumberOrNull(5),
            UserName = row.TextOrNull(6),
        });

    public List<string> ReadDue(long nowMs, int limit) => ReadAll(due.Bind(1, nowMs).Bind(2, limit), static row => row.Text(0));

    public List<StoredWill> ReadWills(string owner) => ReadAll(wills.Bind(1, owner), row => new StoredWill(
        row.Text(0), row.Number(1), codec.Decode(row.Bytes(2)), (uint)row.Number(3), (uint?)row.NumberOrNull(4)));

    public List<string> ReadNodesWithWills() => ReadAll(nodesWithWills.Bind(1, node), static row => row.Text(0));

    public List<Record> ReadRecords(long after, int limit) => ReadAll(
        records.Bind(1, after).Bind(2, limit), static row => new Record(row.Number(0), row.Text(1), row.Text(2), row.BytesOrNull(3), row.Number(4)));

    /// <inheritdoc/>
    public void Dispose() => link.Dispose();

    /// <summary>Reads the rows of a statement.</summary>
    /// <param name="mayGoOn">Asked before each row; null for all.</param>
    public static List<T> ReadAll<T>(SqliteStatement statement, Func<SqliteStatement, T> read, Func<bool>? mayGoOn = null)
    {
        var rows = new List<T>();
        try
        {
            while (mayGoOn?.Invoke() != false && statement.Read()) rows.Add(read(statement));
            return rows;
        }
        catch (SqliteException error)
        {
            throw new StoreUnavailableException("The database cannot be read: " + error.Message, error);
        }
        finally
        {
            statement.Reset();
        }
    }
}
