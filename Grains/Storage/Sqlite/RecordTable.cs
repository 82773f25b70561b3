using Broker.Grains.Interfaces.Records;

namespace Broker.Grains.Storage.Sqlite;

/// <summary>What operators manage at run time. Writer thread.</summary>
internal sealed class RecordTable(SqliteLink link)
{
    private readonly SqliteStatement delete = link.Prepare("DELETE FROM record WHERE table_name = ?1 AND record_key = ?2");
    private readonly SqliteStatement insert = link.Prepare("INSERT INTO record (version, table_name, record_key, value, expires_at) VALUES (?1, ?2, ?3, ?4, ?5)");
    private readonly SqliteStatement forget = link.Prepare("DELETE FROM record WHERE value IS NULL AND version <= ?1");

    public void Save(IReadOnlyList<Record> records)
    {
        foreach (var record in records)
        {
            delete.Bind(1, record.Table).Bind(2, record.Key).Run();
            insert.Bind(1, record.Version).Bind(2, record.Table).Bind(3, record.Key).Bind(4, record.Value).Bind(5, record.ExpiresAt).Run();
        }
    }

    public void ForgetRemoved(long upTo) => forget.Bind(1, upTo).Run();
}
