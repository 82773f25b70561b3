namespace Broker.Grains.Storage.MySql;

/// <summary>Adds messages that wait for their time.</summary>
internal static class SchemaVersion3
{
    /// <remarks>
    /// delayed_message: rows lie in order of arrival; the index of their times is small and counts and skips without touching a row.
    /// delayed_message.origin_source, origin_number: NULL until it is about to be published, and for ever below QoS 2.
    /// What the body has too stands beside it for those who list: they read no body.
    /// </remarks>
    public const string Sql = """
        CREATE TABLE IF NOT EXISTS delayed_message (
            delayed_key BIGINT NOT NULL AUTO_INCREMENT PRIMARY KEY,
            partition_number INT NOT NULL,
            due_at BIGINT NOT NULL,
            number BIGINT NOT NULL,
            received_at BIGINT NOT NULL,
            origin_source BIGINT,
            origin_number BIGINT,
            qos SMALLINT NOT NULL,
            retain SMALLINT NOT NULL,
            payload_bytes BIGINT NOT NULL,
            topic BLOB NOT NULL,
            publisher BLOB NOT NULL,
            user_name BLOB,
            body LONGBLOB NOT NULL,
            UNIQUE KEY delayed_message_place (partition_number, due_at, number)) ENGINE=InnoDB;
        """;
}
