using System.Buffers;
using System.Security.Cryptography;
using System.Text;
using Broker.Grains.Interfaces.Messages;
using Broker.Grains.Interfaces.Records;
using Broker.Grains.Storage.Writes;

namespace Broker.Grains.Storage.MySql;

/// <summary>Makes statements of a plan. Writer thread, inside the transaction.</summary>
internal sealed class PlanWriter(SqlScript script, MessageCodec codec, BodyIds bodyIds, string node, TimeProvider clock)
{
    private readonly SessionStatements sessions = new(script, codec, node);
    private readonly DelayedStatements delayed = new(script, codec);
    private ArrayBufferWriter<byte> buffer = new();

    /// <summary>Writes what was planned and reads what was opened.</summary>
    /// <exception cref="MySqlConnector.MySqlException">What cannot be written is in no refused write: the caller undoes the part and looks for it.</exception>
    public void Execute(BatchPlan plan)
    {
        script.Clear();
        DeleteSessions(plan);
        Queue(plan);
        sessions.Save(plan);
        Receipts(plan);
        Origins(plan);
        Retained(plan);
        Wills(plan);
        delayed.Write(plan);
        Release(plan.LooseBodies);
        foreach (var records in plan.Records) Records(records);
        if (plan.ForgetRecordsUpTo is { } upTo) script.Statement().Add("DELETE FROM record WHERE value IS NULL AND version <= ").Value(upTo).Add(";");
        foreach (var setting in plan.Settings) Setting(setting);
        sessions.Open(plan);
        script.Run();
    }

    /// <summary>Takes out those of some shared bodies that no queue entry refers to any more.</summary>
    /// <remarks>Locked first, looked at in a later statement, which sees what others committed: who appends an entry locks its body before, and of two nodes
    /// that remove the last two entries at once, the one that locks second sees both gone.</remarks>
    public void Release(IReadOnlyCollection<long> ids)
    {
        if (ids.Count == 0) return;
        script.Lists("SELECT body_id FROM body WHERE body_id IN (", ids, ") ORDER BY body_id FOR UPDATE");
        script.Run();
        List<long> unused = [];
        script.Lists("SELECT body_id FROM body WHERE body_id IN (", ids, ") AND NOT EXISTS (SELECT 1 FROM queue WHERE queue.body_id = body.body_id)");
        script.Read(row => unused.Add(row.GetInt64(0)));
        script.Lists("DELETE FROM body WHERE body_id IN (", unused);
    }

    private void DeleteSessions(BatchPlan plan)
    {
        if (plan.DeletedSessions.Count == 0) return;
        script.Lists("SELECT DISTINCT body_id FROM queue WHERE session_key IN (", plan.DeletedSessions, ") AND body_id IS NOT NULL");
        script.Read(row => plan.LooseBodies.Add(row.GetInt64(0)));
        foreach (var table in (ReadOnlySpan<string>)["queue", "subscription", "receipt", "origin", "session"])
        {
            script.Lists($"DELETE FROM {table} WHERE session_key IN (", plan.DeletedSessions);
        }
    }

    private void Queue(BatchPlan plan)
    {
        var appends = plan.DeletedSessions.Count == 0 ? plan.Appends : plan.Appends.FindAll(append => plan.Stays(append.Lease.Key));
        HashSet<SharedBody> shared = [];
        foreach (var append in appends)
        {
            if (append.Shared is not null) shared.Add(append.Shared);
        }

        script.Rows(
            "INSERT INTO body (body_id, body) VALUES ", shared,
            (sql, body) => sql.Value(bodyIds.Identify(body)).Add(",").Value(Encode(body.Message)), " ON DUPLICATE KEY UPDATE body_id = VALUES(body_id)");
        script.Rows(
            "INSERT INTO queue (session_key, sequence, qos, retain, released, share_number, body_id, body, subscription_identifiers) VALUES ", appends, WriteEntry);
        script.Lists("UPDATE queue SET released = 1 WHERE (session_key, sequence) IN (", plan.Released);
        script.Lists("DELETE FROM queue WHERE (session_key, sequence) IN (", plan.Removals);
    }

    private void WriteEntry(SqlText sql, AppendToQueue append)
    {
        sql.Value(append.Lease.Key).Add(",").Value(append.Sequence).Add(",").Value((long)append.Qos).Add(append.Retain ? ",1,0," : ",0,0,")
            .Value(append.ShareNumber).Add(",");
        if (append.Shared is { } shared) sql.Value(shared.Id).Add(",NULL,");
        else sql.Add("NULL,").Value(Encode(append.Message)).Add(",");
        WriteIdentifiers(sql, append.SubscriptionIdentifiers);
    }

    private static void WriteIdentifiers(SqlText sql, int[] identifiers)
    {
        if (identifiers.Length == 0)
        {
            sql.Add("NULL");
            return;
        }

        var size = identifiers.Length * StoredIdentifiers.Size;
        Span<byte> bytes = size <= 256 ? stackalloc byte[size] : new byte[size];
        StoredIdentifiers.Write(identifiers, bytes);
        sql.Value(bytes);
    }

    private void Receipts(BatchPlan plan)
    {
        script.Rows(
            "INSERT INTO receipt (session_key, packet_identifier, number) VALUES ",
            plan.Receipts.Where(receipt => receipt.Value is not null && plan.Stays(receipt.Key.Key)),
            static (sql, receipt) => sql.Value(receipt.Key.Key).Add(",").Value(receipt.Key.PacketIdentifier).Add(",").Value(receipt.Value),
            " ON DUPLICATE KEY UPDATE number = VALUES(number)");
        script.Lists(
            "DELETE FROM receipt WHERE (session_key, packet_identifier) IN (",
            plan.Receipts.Where(receipt => receipt.Value is null && plan.Stays(receipt.Key.Key)).Select(receipt => receipt.Key));
    }

    private void Origins(BatchPlan plan)
    {
        var now = clock.GetUtcNow().ToUnixTimeMilliseconds();
        script.Rows(
            "INSERT INTO origin (session_key, source, shard, number, touched_at) VALUES ", plan.Origins.Where(mark => plan.Stays(mark.Key.Key)),
            (sql, mark) => sql.Value(mark.Key.Key).Add(",").Value(mark.Key.Source).Add(",").Value(mark.Key.Shard).Add(",").Value(mark.Value).Add(",").Value(now),
            " ON DUPLICATE KEY UPDATE number = GREATEST(number, VALUES(number)), touched_at = VALUES(touched_at)");
        if (plan.ForgetBefore is not { } before) return;
        // By key, found without locks: a scan that deletes would wait for rows other nodes are writing.
        List<(long Key, long Source, long Shard)> old = [];
        script.Statement().Add("SELECT session_key, source, shard FROM origin WHERE touched_at < ").Value(before).Add(";");
        script.Read(row => old.Add((row.GetInt64(0), row.GetInt64(1), row.GetInt64(2))));
        script.Lists(
            "DELETE FROM origin WHERE (session_key, source, shard) IN (", old,
            static (sql, key) => sql.Add("(").Value(key.Key).Add(",").Value(key.Source).Add(",").Value(key.Shard).Add(")"), $") AND touched_at < {before}");
    }

    private void Retained(BatchPlan plan)
    {
        // An update keeps the row's key, so that a paged load neither misses nor repeats a topic that changes meanwhile.
        script.Rows(
            "INSERT INTO retained (topic_hash, topic, partition_number, body, expires_at) VALUES ", plan.Retained.Values.OfType<SaveRetained>(),
            (sql, save) => sql.Value(SHA256.HashData(save.Message.Topic.Utf8)).Add(",").Value(save.Message.Topic.Utf8).Add(",").Value(save.Partition).Add(",")
                .Value(Encode(save.Message)).Add(",").Value(save.Message.ExpiresAt),
            " ON DUPLICATE KEY UPDATE partition_number = VALUES(partition_number), body = VALUES(body), expires_at = VALUES(expires_at)");
        script.Lists(
            "DELETE FROM retained WHERE topic_hash IN (", plan.Retained.Where(topic => topic.Value is null),
            static (sql, topic) => sql.Value(SqlText.Hash(topic.Key)), ")");
    }

    private void Wills(BatchPlan plan)
    {
        script.Rows(
            "INSERT INTO will (client_hash, connection_number, client_id, node, body, delay_seconds, expiry_seconds) VALUES ", plan.Wills.Values.OfType<StoredWill>(),
            (sql, will) => sql.Value(SqlText.Hash(will.ClientId)).Add(",").Value(will.ConnectionNumber).Add(",").Value(will.ClientId).Add(",").Value(node).Add(",")
                .Value(Encode(will.Message)).Add(",").Value(will.DelaySeconds).Add(",").Value(will.ExpirySeconds),
            " ON DUPLICATE KEY UPDATE node = VALUES(node), body = VALUES(body), delay_seconds = VALUES(delay_seconds), expiry_seconds = VALUES(expiry_seconds)");
        script.Lists(
            "DELETE FROM will WHERE (client_hash, connection_number) IN (", plan.Wills.Where(will => will.Value is null),
            static (sql, will) => sql.Add("(").Value(SqlText.Hash(will.Key.ClientId)).Add(",").Value(will.Key.ConnectionNumber).Add(")"), ")");
    }

    /// <summary>Taken out and put in, not updated: a version that is taken must be refused, whatever key has it.</summary>
    private void Records(IReadOnlyList<Record> records)
    {
        script.Lists("DELETE FROM record WHERE key_hash IN (", records, static (sql, record) => sql.Value(KeyHash(record)), ")");
        script.Rows(
            "INSERT INTO record (version, key_hash, table_name, record_key, value, expires_at) VALUES ", records,
            static (sql, record) => sql.Value(record.Version).Add(",").Value(KeyHash(record)).Add(",").Value(record.Table).Add(",").Value(record.Key).Add(",")
                .Bytes(record.Value).Add(",").Value(record.ExpiresAt));
    }

    private static byte[] KeyHash(Record record) => SqlText.Hash(record.Table + "/" + record.Key); // tables' names have no slash

    private void Setting(GetOrCreateSetting setting)
    {
        script.Statement().Add("INSERT INTO setting (name, value) VALUES (").Value(setting.Name).Add(",").Value(setting.Value)
            .Add(") ON DUPLICATE KEY UPDATE name = VALUES(name);SELECT value FROM setting WHERE name = ").Value(setting.Name).Add(";");
        script.Read(row => setting.Value = Encoding.UTF8.GetString((byte[])row[0]));
    }

    private ReadOnlySpan<byte> Encode(ApplicationMessage message) => codec.Encode(message, ref buffer);
}
