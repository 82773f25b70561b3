using Broker.Grains.Interfaces.Messages;
using Broker.Grains.Storage.Writes;
using Microsoft.Data.Sqlite;

namespace Broker.Grains.Storage.Sqlite;

/// <summary>The queues of durable sessions. Writer thread.</summary>
internal sealed class QueueTable(SqliteLink link, BodyTable bodies)
{
    private readonly SqliteStatement insert = link.Prepare("""
        INSERT INTO queue (session_key, sequence, body, body_id, qos, retain, released, share_number, subscription_identifiers)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, 0, ?7, ?8)
        """);

    private readonly SqliteStatement delete = link.Prepare("DELETE FROM queue WHERE session_key = ?1 AND sequence = ?2");
    private readonly SqliteStatement markReleased = link.Prepare("UPDATE queue SET released = 1 WHERE session_key = ?1 AND sequence = ?2");

    private readonly SqliteStatement select = link.Prepare("""
        SELECT sequence, coalesce(queue.body, body.body), queue.body_id, qos, retain, released, share_number, subscription_identifiers
        FROM queue LEFT JOIN body ON body.body_id = queue.body_id
        WHERE session_key = ?1 ORDER BY sequence
        """);

    private readonly SqliteStatement selectBodies = link.Prepare("SELECT DISTINCT body_id FROM queue WHERE session_key = ?1 AND body_id IS NOT NULL");
    private readonly SqliteStatement deleteAll = link.Prepare("DELETE FROM queue WHERE session_key = ?1");

    /// <summary>Appends, unless it was cancelled in time.</summary>
    /// <returns>False if the place is taken.</returns>
    public bool TryAppend(AppendToQueue append)
    {
        if (!append.TryClaim()) return true;
        insert.Bind(1, append.Lease.Key).Bind(2, append.Sequence).Bind(5, (long)append.Qos).Bind(6, append.Retain ? 1 : 0).Bind(7, append.ShareNumber);
        if (append.Shared is { } shared) insert.BindNull(3).Bind(4, bodies.Identify(shared));
        else insert.Bind(3, bodies.Encode(append.Message)).BindNull(4);
        BindIdentifiers(append.SubscriptionIdentifiers);
        try
        {
            insert.Run();
        }
        catch (SqliteException error) when (SqliteFaults.IsTaken(error))
        {
            return false;
        }

        if (append.Shared is not null) bodies.Store(append.Shared);
        return true;
    }

    public void Remove(RemoveFromQueue removal)
    {
        if (removal.IsMoot) return;
        delete.Bind(1, removal.Lease.Key).Bind(2, removal.Sequence).Run();
        if (removal.Shared is { Id: not 0 } shared) bodies.Release(shared.Id);
    }

    public void Mark(MarkReleased mark) => markReleased.Bind(1, mark.Lease.Key).Bind(2, mark.Sequence).Run();

    public void RemoveAll(long sessionKey)
    {
        var shared = new List<long>();
        selectBodies.Bind(1, sessionKey);
        while (selectBodies.Read()) shared.Add(selectBodies.Number(0));
        deleteAll.Bind(1, sessionKey).Run();
        foreach (var id in shared) bodies.Release(id);
    }

    public List<QueueRow> Read(long sessionKey)
    {
        var rows = new List<QueueRow>();
        select.Bind(1, sessionKey);
        while (select.Read())
        {
            rows.Add(new QueueRow(select.Number(0), select.Bytes(1), select.Number(2), (Qos)select.Number(3))
            {
                Retain = select.Flag(4),
                IsReleased = select.Flag(5),
                ShareNumber = select.Number(6),
                SubscriptionIdentifiers = StoredIdentifiers.Read(select.Bytes(7)),
            });
        }

        return rows;
    }

    private void BindIdentifiers(int[] identifiers)
    {
        if (identifiers.Length == 0)
        {
            insert.BindNull(8);
            return;
        }

        var size = identifiers.Length * StoredIdentifiers.Size;
        Span<byte> bytes = size <= 256 ? stackalloc byte[size] : new byte[size];
        StoredIdentifiers.Write(identifiers, bytes);
        insert.Bind(8, bytes);
    }
}
