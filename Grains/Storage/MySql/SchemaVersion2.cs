namespace Broker.Grains.Storage.MySql;

/// <summary>Adds records: what operators manage at run time.</summary>
internal static class SchemaVersion2
{
    /// <remarks>record.key_hash: of table and key. record.value: NULL once it is removed, for those who have not heard of it yet.</remarks>
    public const string Sql = """
        CREATE TABLE IF NOT EXISTS record (
            version BIGINT NOT NULL PRIMARY KEY,
            key_hash BINARY(32) NOT NULL,
            table_name VARBINARY(32) NOT NULL,
            record_key BLOB NOT NULL,
            value LONGBLOB,
            expires_at BIGINT NOT NULL,
            UNIQUE KEY record_key_hash (key_hash)) ENGINE=InnoDB;
        """;
}
