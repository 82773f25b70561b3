using System.Buffers;
using System.Text;
using Broker.Grains.Interfaces.Messages;
using Broker.Grains.Storage.Writes;
using MySqlConnector;

namespace Broker.Grains.Storage.MySql;

/// <summary>Statements for the rows of sessions and their subscriptions, and the reading of opened ones. Writer thread, inside the transaction.</summary>
internal sealed class SessionStatements(SqlScript script, MessageCodec codec, string node)
{
    private const string Insert = """
        INSERT INTO session (protocol_version, expiry_interval, connected, disconnected_at, user_name, will, will_delay_seconds, will_expiry_seconds,
            will_due_at, expires_at, due_at, node, sent_up_to, client_hash, client_id, partition_number, created_at, epoch
        """;

    // The rows are there and locked: this is an update of many rows to values of their own.
    private const string Update = """
         ON DUPLICATE KEY UPDATE protocol_version = VALUES(protocol_version), expiry_interval = VALUES(expiry_interval), connected = VALUES(connected),
            disconnected_at = VALUES(disconnected_at), user_name = VALUES(user_name), will = VALUES(will), will_delay_seconds = VALUES(will_delay_seconds),
            will_expiry_seconds = VALUES(will_expiry_seconds), will_due_at = VALUES(will_due_at), expires_at = VALUES(expires_at), due_at = VALUES(due_at),
            node = VALUES(node), sent_up_to = VALUES(sent_up_to)
        """;

    private const string Header = """
        SELECT session_key, epoch, partition_number, protocol_version, expiry_interval, connected, created_at, disconnected_at, user_name,
            will, will_delay_seconds, will_due_at, expires_at, will_expiry_seconds, client_id, sent_up_to FROM session
        """;

    private ArrayBufferWriter<byte> buffer = new();

    public void Save(BatchPlan plan)
    {
        script.Rows(
            Insert + ", session_key) VALUES ", plan.Sessions.Where(session => plan.Stays(session.Key)),
            (sql, session) =>
            {
                WriteHeader(sql, session.Value.Header, session.Value.Lease.Epoch);
                sql.Add(",").Value(session.Key);
            },
            Update);
        script.Rows(
            $"INSERT INTO subscription (session_key, filter_hash, {SubscriptionRow.Columns}) VALUES ",
            plan.Subscriptions.Where(subscription => subscription.Value is not null && plan.Stays(subscription.Key.Key)),
            static (sql, subscription) => SubscriptionRow.Write(sql, subscription.Key.Key, subscription.Value!), SubscriptionRow.Update);
        script.Lists(
            "DELETE FROM subscription WHERE (session_key, filter_hash) IN (",
            plan.Subscriptions.Where(subscription => subscription.Value is null && plan.Stays(subscription.Key.Key)),
            static (sql, subscription) => sql.Add("(").Value(subscription.Key.Key).Add(",").Value(SqlText.Hash(subscription.Key.Filter)).Add(")"), ")");
    }

    /// <summary>Raises the epochs of what is opened, makes what is new, and reads it all.</summary>
    public void Open(BatchPlan plan)
    {
        if (plan.Opens.Count == 0) return;
        script.Lists("UPDATE session SET epoch = epoch + 1 WHERE session_key IN (", plan.Opens.Where(open => open.Key is not null).Select(open => open.Key!.Value));
        script.Rows(
            Insert + ") VALUES ", plan.Opens.Where(open => open.Key is null && open.Open.IfNew is not null),
            (sql, open) => WriteHeader(sql, open.Open.IfNew!, epoch: 1));
        Dictionary<string, (OpenSession Open, bool IsNew)> wanted = new(StringComparer.Ordinal);
        foreach (var (open, key) in plan.Opens)
        {
            open.Rows = null;
            if (key is not null || open.IfNew is not null) wanted[open.ClientId] = (open, key is null);
        }

        Dictionary<long, SessionRows> opened = [];
        script.Lists(Header + " WHERE client_hash IN (", wanted.Keys, static (sql, client) => sql.Value(SqlText.Hash(client)), ")");
        script.Read(row =>
        {
            var (open, isNew) = wanted[Text(row, 14)];
            ReadSession(row, open, isNew);
            if (!isNew && open.Rows is { } rows) opened.Add(rows.Lease.Key, rows);
        });
        ReadRows(opened);
    }

    private void ReadSession(MySqlDataReader row, OpenSession open, bool isNew)
    {
        try
        {
            open.Rows = new SessionRows(new SessionLease(row.GetInt64(0), row.GetInt64(1)), isNew ? open.IfNew! : ReadHeader(row), [], [], []) { IsNew = isNew };
        }
        catch (StoreException error)
        {
            open.Refusal = error;
        }
    }

    private void ReadRows(Dictionary<long, SessionRows> opened)
    {
        script.Lists($"SELECT {SubscriptionRow.Columns}, session_key FROM subscription WHERE session_key IN (", opened.Keys);
        script.Read(row => opened[row.GetInt64(9)].Subscriptions.Add(SubscriptionRow.Read(row)));
        script.Lists("""
            SELECT session_key, sequence, COALESCE(queue.body, body.body), queue.body_id, qos, retain, released, share_number, subscription_identifiers
            FROM queue LEFT JOIN body ON body.body_id = queue.body_id WHERE session_key IN (
            """, opened.Keys, ") ORDER BY session_key, sequence");
        script.Read(row => opened[row.GetInt64(0)].Queue.Add(ReadEntry(row)));
        script.Lists("SELECT session_key, packet_identifier, number FROM receipt WHERE session_key IN (", opened.Keys, ") ORDER BY session_key, packet_identifier");
        script.Read(row => opened[row.GetInt64(0)].Receipts.Add(new StoredReceipt((ushort)row.GetInt32(1), row.GetInt64(2))));
        script.Lists("SELECT session_key, source, shard, number FROM origin WHERE session_key IN (", opened.Keys, ") ORDER BY session_key, source, shard");
        script.Read(row => opened[row.GetInt64(0)].Origins.Add(new OriginMark(row.GetInt64(1), row.GetInt32(2), row.GetInt64(3))));
    }

    private static QueueRow ReadEntry(MySqlDataReader row) => new(
        row.GetInt64(1), BytesOrNull(row, 2) ?? [], NumberOrNull(row, 3) ?? 0, (Qos)row.GetInt32(4))
    {
        Retain = row.GetInt32(5) != 0,
        IsReleased = row.GetInt32(6) != 0,
        ShareNumber = row.GetInt64(7),
        SubscriptionIdentifiers = StoredIdentifiers.Read(BytesOrNull(row, 8) ?? []),
    };

    private void WriteHeader(SqlText sql, SessionHeader header, long epoch)
    {
        sql.Value(header.ProtocolVersion).Add(",").Value(header.ExpiryIntervalSeconds).Add(header.IsConnected ? ",1," : ",0,").Value(header.DisconnectedAt)
            .Add(",").Value(header.UserName).Add(",");
        if (header.Will is null) sql.Add("NULL");
        else sql.Value(codec.Encode(header.Will, ref buffer));
        sql.Add(",").Value(header.WillDelaySeconds).Add(",").Value((long?)header.WillExpirySeconds).Add(",").Value(header.WillDueAt).Add(",").Value(header.ExpiresAt)
            .Add(",").Value(header.DueAt).Add(",").Value(header.IsConnected ? node : null).Add(",").Value(header.SentUpTo).Add(",").Value(SqlText.Hash(header.ClientId)).Add(",").Value(header.ClientId)
            .Add(",").Value(header.Partition).Add(",").Value(header.CreatedAt).Add(",").Value(epoch);
    }

    private SessionHeader ReadHeader(MySqlDataReader row) => new()
    {
        ClientId = Text(row, 14),
        Partition = row.GetInt32(2),
        ProtocolVersion = (byte)row.GetInt32(3),
        ExpiryIntervalSeconds = (uint)row.GetInt64(4),
        IsConnected = row.GetInt32(5) != 0,
        CreatedAt = row.GetInt64(6),
        DisconnectedAt = NumberOrNull(row, 7),
        UserName = row.IsDBNull(8) ? null : Text(row, 8),
        Will = BytesOrNull(row, 9) is { } will ? codec.Decode(will) : null,
        WillDelaySeconds = (uint)row.GetInt64(10),
        WillDueAt = NumberOrNull(row, 11),
        ExpiresAt = NumberOrNull(row, 12),
        WillExpirySeconds = (uint?)NumberOrNull(row, 13),
        SentUpTo = NumberOrNull(row, 15),
    };

    private static string Text(MySqlDataReader row, int column) => Encoding.UTF8.GetString((byte[])row[column]);

    private static byte[]? BytesOrNull(MySqlDataReader row, int column) => row.IsDBNull(column) ? null : (byte[])row[column];

    private static long? NumberOrNull(MySqlDataReader row, int column) => row.IsDBNull(column) ? null : row.GetInt64(column);
}
