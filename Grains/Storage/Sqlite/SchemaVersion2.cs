namespace Broker.Grains.Storage.Sqlite;

/// <summary>Adds records: what operators manage at run time.</summary>
internal static class SchemaVersion2
{
    /// <remarks>record.value: NULL once it is removed, for those who have not heard of it yet.</remarks>
    public const string Sql = """
        CREATE TABLE record (
            version INTEGER PRIMARY KEY,
            table_name TEXT NOT NULL,
            record_key TEXT NOT NULL,
            value BLOB,
            expires_at INTEGER NOT NULL,
            UNIQUE (table_name, record_key));
        """;
}
