using System.Text;
using Broker.Grains.Interfaces.Records;
using MySqlConnector;

namespace Broker.Grains.Storage.MySql;

/// <summary>Reads beside the writer on pooled connections: sees what is committed and locks nothing. Any thread.</summary>
internal sealed class MySqlReader(MySqlOptions options, MessageCodec codec)
{
    public List<ShardSubscription> ReadSubscriptions(int shard) => ReadAll(
        new SqlText(0).Add($"SELECT {SubscriptionRow.Columns}, client_id FROM subscription JOIN session ON session.session_key = subscription.session_key WHERE shard IN (")
            .Value(shard).Add(",").Value(SessionSubscription.Broad).Add(")"),
        static row => new ShardSubscription(Text(row, 9), SubscriptionRow.Read(row)));

    public StoredRetained ReadRetained(int partition, long after, int limit)
    {
        var rows = ReadAll(
            new SqlText(0).Add("SELECT retained_key, body FROM retained WHERE partition_number = ").Value(partition).Add(" AND retained_key > ").Value(after)
                .Add(" ORDER BY retained_key LIMIT ").Value(limit),
            static row => (Key: row.GetInt64(0), Body: (byte[])row[1]));
        return new StoredRetained(rows.ConvertAll(row => codec.Decode(row.Body)), rows.Count == 0 ? after : rows[^1].Key);
    }

    public List<SessionSummary> ReadSessions(int partition) => ReadAll(
        new SqlText(0).Add("SELECT client_id, protocol_version, expiry_interval, connected, created_at, disconnected_at, user_name FROM session WHERE partition_number = ")
            .Value(partition),
        static row => new SessionSummary(Text(row, 0), (byte)row.GetInt32(1), (uint)row.GetInt64(2), row.GetInt32(3) != 0, row.GetInt64(4))
        {
            DisconnectedAt = row.IsDBNull(5) ? null : row.GetInt64(5),
            UserName = row.IsDBNull(6) ? null : Text(row, 6),
        });

    public List<string> ReadDue(long nowMs, int limit) => ReadAll(
        new SqlText(0).Add("SELECT client_id FROM session WHERE due_at <= ").Value(nowMs).Add(" ORDER BY due_at LIMIT ").Value(limit), static row => Text(row, 0));

    public List<StoredWill> ReadWills(string node) => ReadAll(
        new SqlText(255).Add("SELECT client_id, connection_number, body, delay_seconds, expiry_seconds FROM will WHERE node = ").Value(node),
        row => new StoredWill(Text(row, 0), row.GetInt64(1), codec.Decode((byte[])row[2]), (uint)row.GetInt64(3), row.IsDBNull(4) ? null : (uint)row.GetInt64(4)));

    /// <summary>A node without a row has left, or was forgotten long after it was fenced.</summary>
    public List<string> ReadNodesWithWills() => ReadAll(
        new SqlText(0).Add("SELECT DISTINCT node FROM will WHERE node NOT IN (SELECT name FROM node WHERE fenced = 0)"), static row => Text(row, 0));

    public List<Record> ReadRecords(long after, int limit) => ReadAll(
        new SqlText(0).Add("SELECT version, table_name, record_key, value, expires_at FROM record WHERE version > ").Value(after).Add(" ORDER BY version LIMIT ").Value(limit),
        static row => new Record(row.GetInt64(0), Text(row, 1), Text(row, 2), row.IsDBNull(3) ? null : (byte[])row[3], row.GetInt64(4)));

    /// <summary>Reads the rows of a query.</summary>
    /// <param name="mayGoOn">Asked before each row; null for all.</param>
    public List<T> ReadAll<T>(SqlText sql, Func<MySqlDataReader, T> read, Func<bool>? mayGoOn = null)
    {
        try
        {
            using var link = new MySqlLink(options, pooled: true, options.LockWait);
            using var reader = link.Query(sql);
            var rows = new List<T>();
            while (mayGoOn?.Invoke() != false && reader.Read()) rows.Add(read(reader));
            return rows;
        }
        catch (Exception error) when (error is not StoreException)
        {
            throw new StoreUnavailableException("The database cannot be read: " + MySqlFaults.Describe(error), error);
        }
    }

    private static string Text(MySqlDataReader row, int column) => Encoding.UTF8.GetString((byte[])row[column]);
}
