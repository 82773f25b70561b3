using Broker.Grains.Storage.Writes;

namespace Broker.Grains.Storage.Sqlite;

/// <summary>Wills of transient sessions' connections. Writer thread.</summary>
internal sealed class WillTable(SqliteLink link, BodyTable bodies, string node)
{
    private readonly SqliteStatement save = link.Prepare("""
        INSERT OR REPLACE INTO will (client_id, connection_number, node, body, delay_seconds, expiry_seconds) VALUES (?1, ?2, ?3, ?4, ?5, ?6)
        """);

    private readonly SqliteStatement delete = link.Prepare("DELETE FROM will WHERE client_id = ?1 AND connection_number = ?2");

    public void Save(StoredWill will) =>
        save.Bind(1, will.ClientId).Bind(2, will.ConnectionNumber).Bind(3, node).Bind(4, bodies.Encode(will.Message)).Bind(5, will.DelaySeconds)
            .Bind(6, will.ExpirySeconds).Run();

    public void Remove(RemoveWill write) => delete.Bind(1, write.ClientId).Bind(2, write.ConnectionNumber).Run();
}
