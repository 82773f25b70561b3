using Broker.Grains.Storage.Writes;

namespace Broker.Grains.Storage.Sqlite;

/// <summary>Messages that wait for their time. Writer thread.</summary>
internal sealed class DelayedTable(SqliteLink link, BodyTable bodies)
{
    private const string At = "partition_number = ?1 AND due_at = ?2 AND number = ?3";

    private readonly SqliteStatement insert = link.Prepare("""
        INSERT INTO delayed_message (partition_number, due_at, number, received_at, qos, retain, payload_bytes, topic, publisher, user_name, body)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)
        """);

    private readonly SqliteStatement name = link.Prepare($"UPDATE delayed_message SET origin_source = ?4, origin_number = ?5 WHERE {At}");
    private readonly SqliteStatement delete = link.Prepare($"DELETE FROM delayed_message WHERE {At}");

    public void Save(SaveDelayed write)
    {
        var (message, _, receivedAt, userName) = write.Waiting;
        BindKey(insert, write.Key).Bind(4, receivedAt).Bind(5, (long)message.Qos).Bind(6, message.Retain ? 1 : 0).Bind(7, message.Payload.Length)
            .Bind(8, message.Topic.Text).Bind(9, message.PublisherId).Bind(10, userName).Bind(11, bodies.Encode(message)).Run();
    }

    public void Name(NameDelayed write)
    {
        foreach (var (key, origin) in write.Names) BindKey(name, key).Bind(4, origin.Source).Bind(5, origin.Number).Run();
    }

    public void Remove(RemoveDelayed write)
    {
        foreach (var key in write.Keys) BindKey(delete, key).Run();
    }

    private static SqliteStatement BindKey(SqliteStatement statement, DelayedKey key) => statement.Bind(1, key.Partition).Bind(2, key.DueAt).Bind(3, key.Number);
}
