using Broker.Grains.Interfaces.Messages;

namespace Broker.Grains.Storage.Sqlite;

/// <inheritdoc cref="IDelayedReader"/>
/// <remarks>On the reading connection: one read at a time.</remarks>
internal sealed class SqliteDelayedReader(SqliteLink link, MessageCodec codec) : IDelayedReader
{
    private const string Head = "due_at, number, received_at, topic, qos, retain, publisher, user_name, payload_bytes";

    private readonly SqliteStatement state = link.Prepare("SELECT count(*), min(due_at), max(number) FROM delayed_message WHERE partition_number = ?1");
    private readonly SqliteStatement origins = link.Prepare("SELECT source, shard, number FROM origin WHERE session_key = ?1");
    private readonly SqliteStatement due = link.Prepare("""
        SELECT due_at, number, origin_source, origin_number, body FROM delayed_message
        WHERE partition_number = ?1 AND due_at <= ?2 ORDER BY due_at, number LIMIT ?3
        """);

    private readonly SqliteStatement next = link.Prepare("SELECT min(due_at) FROM delayed_message WHERE partition_number = ?1");

    // The keys come from the index alone: what is skipped costs no row.
    private readonly SqliteStatement heads = link.Prepare($"""
        SELECT {Head} FROM delayed_message WHERE delayed_key IN (
            SELECT delayed_key FROM delayed_message WHERE partition_number = ?1 AND (due_at, number) > (?2, ?3) ORDER BY due_at, number LIMIT ?4 OFFSET ?5)
        ORDER BY due_at, number
        """);

    private readonly SqliteStatement find = link.Prepare($"SELECT {Head}, body FROM delayed_message WHERE partition_number = ?1 AND due_at = ?2 AND number = ?3");

    public DelayedState ReadState(int partition) => SqliteReader.ReadAll(
        state.Bind(1, partition), static row => new DelayedState(row.Number(0), row.NumberOrNull(1) ?? long.MaxValue, row.NumberOrNull(2) ?? 0))[0];

    public IReadOnlyList<OriginMark> ReadOrigins(int partition) => SqliteReader.ReadAll(
        origins.Bind(1, DelayedKey.OriginOwner(partition)), static row => new OriginMark(row.Number(0), (int)row.Number(1), row.Number(2)));

    public IReadOnlyList<StoredDelayed> ReadDue(int partition, long nowMs, int limit, long maxBytes)
    {
        var bytes = 0L;
        return SqliteReader.ReadAll(
            due.Bind(1, partition).Bind(2, nowMs).Bind(3, limit),
            row =>
            {
                var body = row.Bytes(4);
                bytes += body.Length;
                var origin = row.IsNull(2) ? null : new MessageOrigin(row.Number(2), row.Number(3));
                return new StoredDelayed(new DelayedKey(partition, row.Number(0), row.Number(1)), codec.Decode(body), origin);
            },
            () => bytes < maxBytes);
    }

    public long ReadNext(int partition) => SqliteReader.ReadAll(next.Bind(1, partition), static row => row.NumberOrNull(0) ?? long.MaxValue)[0];

    public IReadOnlyList<DelayedHead> ReadHeads(int partition, DelayedKey? after, long skip, int limit) => SqliteReader.ReadAll(
        heads.Bind(1, partition).Bind(2, after?.DueAt ?? long.MinValue).Bind(3, after?.Number ?? 0).Bind(4, limit).Bind(5, skip), row => ReadHead(row, partition));

    public (DelayedHead Head, ApplicationMessage Message)? Find(DelayedKey key)
    {
        var rows = SqliteReader.ReadAll(find.Bind(1, key.Partition).Bind(2, key.DueAt).Bind(3, key.Number), row => (ReadHead(row, key.Partition), codec.Decode(row.Bytes(9))));
        return rows.Count == 0 ? null : rows[0];
    }

    private static DelayedHead ReadHead(SqliteStatement row, int partition) => new(
        new DelayedKey(partition, row.Number(0), row.Number(1)), row.Number(2), row.Text(3), (Qos)row.Number(4), row.Flag(5), row.Text(6), row.TextOrNull(7), row.Number(8));
}
