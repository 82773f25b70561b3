namespace Broker.Grains.Storage.MySql;

/// <summary>The first schema, of the broker's own tables.</summary>
internal static class SchemaVersion1
{
    /// <summary>The statements that create it. DDL commits by itself, so each can be run again after a step that was cut off.</summary>
    /// <remarks>
    /// Everything is binary: no collation makes two client identifiers one, on MySQL or MariaDB. Client identifiers, topics and filters may have 65,535 bytes
    /// and a key 3,072, so that uniqueness is that of their SHA-256.
    /// session: AUTO_INCREMENT, which both servers keep over restarts; a key that came again would let a stale lease through.
    /// queue: clustered by (session, sequence). Rows in order of arrival with that index beside them were a quarter slower: there are two trees to keep.
    /// node: a row for each start of each node. A node without a row is as good as fenced. commit_number grows with each of its transactions.
    /// </remarks>
    public const string Sql = """
        CREATE TABLE IF NOT EXISTS session (
            session_key BIGINT NOT NULL AUTO_INCREMENT PRIMARY KEY,
            client_hash BINARY(32) NOT NULL,
            client_id BLOB NOT NULL,
            partition_number INT NOT NULL,
            epoch BIGINT NOT NULL,
            protocol_version INT NOT NULL,
            expiry_interval BIGINT NOT NULL,
            connected INT NOT NULL,
            created_at BIGINT NOT NULL,
            disconnected_at BIGINT,
            sent_up_to BIGINT,
            user_name BLOB,
            will LONGBLOB,
            will_delay_seconds BIGINT NOT NULL,
            will_expiry_seconds BIGINT,
            will_due_at BIGINT,
            expires_at BIGINT,
            due_at BIGINT,
            node VARBINARY(255),
            UNIQUE KEY session_client (client_hash),
            KEY session_partition (partition_number),
            KEY session_due (due_at),
            KEY session_node (node)) ENGINE=InnoDB;

        CREATE TABLE IF NOT EXISTS subscription (
            session_key BIGINT NOT NULL,
            filter_hash BINARY(32) NOT NULL,
            topic_filter BLOB NOT NULL,
            subscription_number BIGINT NOT NULL,
            shard INT NOT NULL,
            qos INT NOT NULL,
            no_local INT NOT NULL,
            retain_as_published INT NOT NULL,
            retain_handling INT NOT NULL,
            identifier INT NOT NULL,
            retained_from BLOB,
            PRIMARY KEY (session_key, filter_hash),
            KEY subscription_shard (shard)) ENGINE=InnoDB;

        CREATE TABLE IF NOT EXISTS queue (
            session_key BIGINT NOT NULL,
            sequence BIGINT NOT NULL,
            body LONGBLOB,
            body_id BIGINT,
            qos SMALLINT NOT NULL,
            retain SMALLINT NOT NULL,
            released SMALLINT NOT NULL,
            share_number BIGINT NOT NULL,
            subscription_identifiers BLOB,
            PRIMARY KEY (session_key, sequence),
            KEY queue_body (body_id)) ENGINE=InnoDB;

        CREATE TABLE IF NOT EXISTS body (
            body_id BIGINT NOT NULL PRIMARY KEY,
            body LONGBLOB NOT NULL) ENGINE=InnoDB;

        CREATE TABLE IF NOT EXISTS receipt (
            session_key BIGINT NOT NULL,
            packet_identifier INT NOT NULL,
            number BIGINT NOT NULL,
            PRIMARY KEY (session_key, packet_identifier)) ENGINE=InnoDB;

        CREATE TABLE IF NOT EXISTS origin (
            session_key BIGINT NOT NULL,
            source BIGINT NOT NULL,
            shard INT NOT NULL,
            number BIGINT NOT NULL,
            touched_at BIGINT NOT NULL,
            PRIMARY KEY (session_key, source, shard)) ENGINE=InnoDB;

        CREATE TABLE IF NOT EXISTS retained (
            retained_key BIGINT NOT NULL AUTO_INCREMENT PRIMARY KEY,
            topic_hash BINARY(32) NOT NULL,
            topic BLOB NOT NULL,
            partition_number INT NOT NULL,
            body LONGBLOB NOT NULL,
            expires_at BIGINT NOT NULL,
            UNIQUE KEY retained_topic (topic_hash),
            KEY retained_partition (partition_number)) ENGINE=InnoDB;

        CREATE TABLE IF NOT EXISTS will (
            client_hash BINARY(32) NOT NULL,
            connection_number BIGINT NOT NULL,
            client_id BLOB NOT NULL,
            node VARBINARY(255) NOT NULL,
            body LONGBLOB NOT NULL,
            delay_seconds BIGINT NOT NULL,
            expiry_seconds BIGINT,
            PRIMARY KEY (client_hash, connection_number),
            KEY will_node (node)) ENGINE=InnoDB;

        CREATE TABLE IF NOT EXISTS node (
            name VARBINARY(255) NOT NULL PRIMARY KEY,
            fenced INT NOT NULL,
            fenced_at BIGINT,
            commit_number BIGINT NOT NULL) ENGINE=InnoDB;

        CREATE TABLE IF NOT EXISTS setting (
            name VARBINARY(255) NOT NULL PRIMARY KEY,
            value BLOB NOT NULL) ENGINE=InnoDB;
        """;
}
