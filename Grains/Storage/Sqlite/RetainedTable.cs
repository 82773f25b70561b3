using Broker.Grains.Storage.Writes;

namespace Broker.Grains.Storage.Sqlite;

/// <summary>Retained messages. Writer thread.</summary>
internal sealed class RetainedTable(SqliteLink link, BodyTable bodies)
{
    // An update keeps the row's key, so that a paged load neither misses nor repeats a topic that changes meanwhile.
    private readonly SqliteStatement save = link.Prepare("""
        INSERT INTO retained (topic, partition_number, body, expires_at) VALUES (?1, ?2, ?3, ?4)
        ON CONFLICT (topic) DO UPDATE SET partition_number = ?2, body = ?3, expires_at = ?4
        """);

    private readonly SqliteStatement delete = link.Prepare("DELETE FROM retained WHERE topic = ?1");

    public void Save(SaveRetained write) =>
        save.Bind(1, write.Message.Topic.Utf8).Bind(2, write.Partition).Bind(3, bodies.Encode(write.Message)).Bind(4, write.Message.ExpiresAt).Run();

    public void Remove(RemoveRetained write) => delete.Bind(1, write.Topic.Utf8).Run();
}
