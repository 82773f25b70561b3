using System.Text;
using Broker.Grains.Interfaces.Messages;
using MySqlConnector;

namespace Broker.Grains.Storage.MySql;

/// <inheritdoc cref="IDelayedReader"/>
internal sealed class MySqlDelayedReader(MySqlReader reader, MessageCodec codec) : IDelayedReader
{
    private const string Head = "delayed_message.due_at, delayed_message.number, received_at, topic, qos, retain, publisher, user_name, payload_bytes";

    public DelayedState ReadState(int partition) => reader.ReadAll(
        new SqlText(0).Add("SELECT COUNT(*), MIN(due_at), MAX(number) FROM delayed_message WHERE partition_number = ").Value(partition),
        static row => new DelayedState(row.GetInt64(0), row.IsDBNull(1) ? long.MaxValue : row.GetInt64(1), row.IsDBNull(2) ? 0 : row.GetInt64(2)))[0];

    public IReadOnlyList<OriginMark> ReadOrigins(int partition) => reader.ReadAll(
        new SqlText(0).Add("SELECT source, shard, number FROM origin WHERE session_key = ").Value(DelayedKey.OriginOwner(partition)),
        static row => new OriginMark(row.GetInt64(0), row.GetInt32(1), row.GetInt64(2)));

    public IReadOnlyList<StoredDelayed> ReadDue(int partition, long nowMs, int limit, long maxBytes)
    {
        var bytes = 0L;
        return reader.ReadAll(
            Of("SELECT due_at, number, origin_source, origin_number, body FROM delayed_message WHERE partition_number = ", partition)
                .Add(" AND due_at <= ").Value(nowMs).Add(" ORDER BY due_at, number LIMIT ").Value(limit),
            row =>
            {
                var body = (byte[])row[4];
                bytes += body.Length;
                var origin = row.IsDBNull(2) ? null : new MessageOrigin(row.GetInt64(2), row.GetInt64(3));
                return new StoredDelayed(new DelayedKey(partition, row.GetInt64(0), row.GetInt64(1)), codec.Decode(body), origin);
            },
            () => bytes < maxBytes);
    }

    public long ReadNext(int partition) => reader.ReadAll(
        Of("SELECT MIN(due_at) FROM delayed_message WHERE partition_number = ", partition), static row => row.IsDBNull(0) ? long.MaxValue : row.GetInt64(0))[0];

    /// <remarks>The keys come from the index alone: what is skipped costs no row. The condition is written out because the servers read no index by a comparison of pairs.</remarks>
    public IReadOnlyList<DelayedHead> ReadHeads(int partition, DelayedKey? after, long skip, int limit)
    {
        var sql = Of($"SELECT {Head} FROM (SELECT delayed_key FROM delayed_message WHERE partition_number = ", partition);
        if (after is { } last)
        {
            sql.Add(" AND due_at >= ").Value(last.DueAt).Add(" AND (due_at > ").Value(last.DueAt).Add(" OR number > ").Value(last.Number).Add(")");
        }

        sql.Add(" ORDER BY due_at, number LIMIT ").Value(limit).Add(" OFFSET ").Value(skip)
            .Add(") page JOIN delayed_message ON delayed_message.delayed_key = page.delayed_key ORDER BY delayed_message.due_at, delayed_message.number");
        return reader.ReadAll(sql, row => ReadHead(row, partition));
    }

    public (DelayedHead Head, ApplicationMessage Message)? Find(DelayedKey key)
    {
        var rows = reader.ReadAll(
            Of($"SELECT {Head}, body FROM delayed_message WHERE partition_number = ", key.Partition).Add(" AND due_at = ").Value(key.DueAt).Add(" AND number = ").Value(key.Number),
            row => (ReadHead(row, key.Partition), codec.Decode((byte[])row[9])));
        return rows.Count == 0 ? null : rows[0];
    }

    private static SqlText Of(string sql, int partition) => new SqlText(0).Add(sql).Value(partition);

    private static DelayedHead ReadHead(MySqlDataReader row, int partition) => new(
        new DelayedKey(partition, row.GetInt64(0), row.GetInt64(1)), row.GetInt64(2), Text(row, 3), (Qos)row.GetInt32(4), row.GetInt32(5) != 0, Text(row, 6),
        row.IsDBNull(7) ? null : Text(row, 7), row.GetInt64(8));

    private static string Text(MySqlDataReader row, int column) => Encoding.UTF8.GetString((byte[])row[column]);
}
