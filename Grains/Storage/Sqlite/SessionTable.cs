using Broker.Grains.Storage.Writes;

namespace Broker.Grains.Storage.Sqlite;

/// <summary>Headers and epochs of durable sessions. Writer thread.</summary>
internal sealed class SessionTable(SqliteLink link, BodyTable bodies, MessageCodec codec, string node)
{
    private readonly SqliteStatement insert = link.Prepare("""
        INSERT INTO session (protocol_version, expiry_interval, connected, disconnected_at, user_name, will, will_delay_seconds, will_due_at,
            expires_at, due_at, will_expiry_seconds, node, sent_up_to, client_id, partition_number, created_at, epoch)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?14, ?15, ?16, ?11, ?12, ?13, 1)
        """);

    private readonly SqliteStatement update = link.Prepare("""
        UPDATE session SET protocol_version = ?1, expiry_interval = ?2, connected = ?3, disconnected_at = ?4, user_name = ?5,
            will = ?6, will_delay_seconds = ?7, will_due_at = ?8, expires_at = ?9, due_at = ?10, will_expiry_seconds = ?14, node = ?15, sent_up_to = ?16
        WHERE session_key = ?11
        """);

    private readonly SqliteStatement select = link.Prepare("""
        SELECT session_key, epoch, partition_number, protocol_version, expiry_interval, connected, created_at, disconnected_at, user_name,
            will, will_delay_seconds, will_due_at, expires_at, will_expiry_seconds, sent_up_to
        FROM session WHERE client_id = ?1
        """);

    private readonly SqliteStatement selectEpoch = link.Prepare("SELECT epoch FROM session WHERE session_key = ?1");
    private readonly SqliteStatement updateEpoch = link.Prepare("UPDATE session SET epoch = ?2 WHERE session_key = ?1");
    private readonly SqliteStatement delete = link.Prepare("DELETE FROM session WHERE session_key = ?1");

    /// <summary>The epoch in force; null if there is no such session.</summary>
    public long? Epoch(long sessionKey)
    {
        if (!selectEpoch.Bind(1, sessionKey).Read()) return null;
        var epoch = selectEpoch.Number(0);
        selectEpoch.Reset();
        return epoch;
    }

    /// <summary>Raises the epoch and reads the header.</summary>
    public (SessionLease Lease, SessionHeader Header)? Open(string clientId)
    {
        if (!select.Bind(1, clientId).Read()) return null;
        SessionLease lease;
        SessionHeader header;
        try
        {
            lease = new SessionLease(select.Number(0), select.Number(1) + 1);
            header = ReadHeader(clientId);
        }
        finally
        {
            select.Reset();
        }

        updateEpoch.Bind(1, lease.Key).Bind(2, lease.Epoch).Run();
        return (lease, header);
    }

    public SessionLease Create(SessionHeader header)
    {
        BindHeader(insert, header);
        insert.Bind(11, header.ClientId).Bind(12, header.Partition).Bind(13, header.CreatedAt).Run();
        return new SessionLease(link.LastInsertedKey, 1);
    }

    public void Save(SaveSession save)
    {
        BindHeader(update, save.Header);
        update.Bind(11, save.Lease.Key).Run();
    }

    public void Remove(long sessionKey) => delete.Bind(1, sessionKey).Run();

    private void BindHeader(SqliteStatement statement, SessionHeader header)
    {
        statement.Bind(1, header.ProtocolVersion).Bind(2, header.ExpiryIntervalSeconds).Bind(3, header.IsConnected ? 1 : 0)
            .Bind(4, header.DisconnectedAt).Bind(5, header.UserName).Bind(7, header.WillDelaySeconds)
            .Bind(8, header.WillDueAt).Bind(9, header.ExpiresAt).Bind(10, header.DueAt)
            .Bind(14, header.WillExpirySeconds).Bind(15, header.IsConnected ? node : null).Bind(16, header.SentUpTo);
        if (header.Will is null) statement.BindNull(6);
        else statement.Bind(6, bodies.Encode(header.Will));
    }

    private SessionHeader ReadHeader(string clientId) => new()
    {
        ClientId = clientId,
        Partition = (int)select.Number(2),
        ProtocolVersion = (byte)select.Number(3),
        ExpiryIntervalSeconds = (uint)select.Number(4),
        IsConnected = select.Flag(5),
        CreatedAt = select.Number(6),
        DisconnectedAt = select.NumberOrNull(7),
        UserName = select.TextOrNull(8),
        Will = select.IsNull(9) ? null : codec.Decode(select.Bytes(9)),
        WillDelaySeconds = (uint)select.Number(10),
        WillDueAt = select.NumberOrNull(11),
        ExpiresAt = select.NumberOrNull(12),
        WillExpirySeconds = (uint?)select.NumberOrNull(13),
        SentUpTo = select.NumberOrNull(14),
    };
}
