using Broker.Grains.Storage.Writes;

namespace Broker.Grains.Storage.Sqlite;

/// <summary>Inbound QoS 2 packet identifiers not yet released. Writer thread.</summary>
internal sealed class ReceiptTable(SqliteLink link)
{
    private readonly SqliteStatement insert = link.Prepare("INSERT OR REPLACE INTO receipt (session_key, packet_identifier, number) VALUES (?1, ?2, ?3)");
    private readonly SqliteStatement delete = link.Prepare("DELETE FROM receipt WHERE session_key = ?1 AND packet_identifier = ?2");
    private readonly SqliteStatement deleteAll = link.Prepare("DELETE FROM receipt WHERE session_key = ?1");
    private readonly SqliteStatement select = link.Prepare("SELECT packet_identifier, number FROM receipt WHERE session_key = ?1 ORDER BY packet_identifier");

    public void Add(AddReceipt write) => insert.Bind(1, write.Lease.Key).Bind(2, write.PacketIdentifier).Bind(3, write.Number).Run();

    public void Remove(RemoveReceipt write) => delete.Bind(1, write.Lease.Key).Bind(2, write.PacketIdentifier).Run();

    public void RemoveAll(long sessionKey) => deleteAll.Bind(1, sessionKey).Run();

    public List<StoredReceipt> Read(long sessionKey)
    {
        var rows = new List<StoredReceipt>();
        select.Bind(1, sessionKey);
        while (select.Read()) rows.Add(new StoredReceipt((ushort)select.Number(0), select.Number(1)));
        return rows;
    }
}
