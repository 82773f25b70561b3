using Broker.Grains.Storage.Writes;

namespace Broker.Grains.Storage.Sqlite;

/// <summary>Inbound QoS 2 packet identifiers not yet released. Writer thread.</summary>
internal sealed class ReceiptTable(SqliteLink link)
{
    private readonly SqliteStatement insert = link.Prepare("INSERT OR IGNORE INTO receipt (session_key, packet_identifier) VALUES (?1, ?2)");
    private readonly SqliteStatement delete = link.Prepare("DELETE FROM receipt WHERE session_key = ?1 AND packet_identifier = ?2");
    private readonly SqliteStatement deleteAll = link.Prepare("DELETE FROM receipt WHERE session_key = ?1");
    private readonly SqliteStatement select = link.Prepare("SELECT packet_identifier FROM receipt WHERE session_key = ?1 ORDER BY packet_identifier");

    public void Add(AddReceipt write) => insert.Bind(1, write.Lease.Key).Bind(2, write.PacketIdentifier).Run();

    public void Remove(RemoveReceipt write) => delete.Bind(1, write.Lease.Key).Bind(2, write.PacketIdentifier).Run();

    public void RemoveAll(long sessionKey) => deleteAll.Bind(1, sessionKey).Run();

    public List<ushort> Read(long sessionKey)
    {
        var rows = new List<ushort>();
        select.Bind(1, sessionKey);
        while (select.Read()) rows.Add((ushort)select.Number(0));
        return rows;
    }
}
