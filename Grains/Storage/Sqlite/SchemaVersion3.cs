namespace Broker.Grains.Storage.Sqlite;

/// <summary>Adds messages that wait for their time.</summary>
internal static class SchemaVersion3
{
    /// <remarks>
    /// delayed_message: rows lie in order of arrival and the index of their times beside them, which also counts and skips without touching a row.
    /// delayed_message.origin_source, origin_number: NULL until it is about to be published, and for ever below QoS 2.
    /// What the body has too stands beside it for those who list: they read no body.
    /// </remarks>
    public const string Sql = """
        CREATE TABLE delayed_message (
            delayed_key INTEGER PRIMARY KEY,
            partition_number INTEGER NOT NULL,
            due_at INTEGER NOT NULL,
            number INTEGER NOT NULL,
            received_at INTEGER NOT NULL,
            origin_source INTEGER,
            origin_number INTEGER,
            qos INTEGER NOT NULL,
            retain INTEGER NOT NULL,
            payload_bytes INTEGER NOT NULL,
            topic TEXT NOT NULL,
            publisher TEXT NOT NULL,
            user_name TEXT,
            body BLOB NOT NULL,
            UNIQUE (partition_number, due_at, number));
        """;
}
