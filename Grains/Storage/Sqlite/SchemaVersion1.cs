namespace Broker.Grains.Storage.Sqlite;

/// <summary>The first schema.</summary>
internal static class SchemaVersion1
{
    /// <summary>The statements that create it.</summary>
    /// <remarks>
    /// session: AUTOINCREMENT, because a key that came again after a deletion would let a stale lease through.
    /// queue: rows lie in order of arrival and the (session, sequence) index beside them. Clustered by (session, sequence) a batch touches one page per
    /// session: measured with a backlog over 1,000 sessions, 38,000 insert-remove pairs a second against 78,000.
    /// session.node: the node with which it is connected; NULL while it is not.
    /// body: what several queues hold; released by the last of them.
    /// retained: topic as its UTF-8 bytes; loaded by partition in order of key.
    /// </remarks>
    public const string Sql = """
        CREATE TABLE session (
            session_key INTEGER PRIMARY KEY AUTOINCREMENT,
            client_id TEXT NOT NULL UNIQUE,
            partition_number INTEGER NOT NULL,
            epoch INTEGER NOT NULL,
            protocol_version INTEGER NOT NULL,
            expiry_interval INTEGER NOT NULL,
            connected INTEGER NOT NULL,
            created_at INTEGER NOT NULL,
            disconnected_at INTEGER,
            sent_up_to INTEGER,
            user_name TEXT,
            will BLOB,
            will_delay_seconds INTEGER NOT NULL,
            will_expiry_seconds INTEGER,
            will_due_at INTEGER,
            expires_at INTEGER,
            due_at INTEGER,
            node TEXT);
        CREATE INDEX session_partition ON session (partition_number);
        CREATE INDEX session_due ON session (due_at) WHERE due_at IS NOT NULL;

        CREATE TABLE subscription (
            session_key INTEGER NOT NULL,
            topic_filter TEXT NOT NULL,
            subscription_number INTEGER NOT NULL,
            shard INTEGER NOT NULL,
            qos INTEGER NOT NULL,
            no_local INTEGER NOT NULL,
            retain_as_published INTEGER NOT NULL,
            retain_handling INTEGER NOT NULL,
            identifier INTEGER NOT NULL,
            retained_from TEXT,
            PRIMARY KEY (session_key, topic_filter)) WITHOUT ROWID;
        CREATE INDEX subscription_shard ON subscription (shard);

        CREATE TABLE queue (
            entry_key INTEGER PRIMARY KEY,
            session_key INTEGER NOT NULL,
            sequence INTEGER NOT NULL,
            body BLOB,
            body_id INTEGER,
            qos INTEGER NOT NULL,
            retain INTEGER NOT NULL,
            released INTEGER NOT NULL,
            share_number INTEGER NOT NULL,
            subscription_identifiers BLOB,
            UNIQUE (session_key, sequence));
        CREATE INDEX queue_body ON queue (body_id) WHERE body_id IS NOT NULL;

        CREATE TABLE body (
            body_id INTEGER PRIMARY KEY,
            body BLOB NOT NULL);

        CREATE TABLE receipt (
            session_key INTEGER NOT NULL,
            packet_identifier INTEGER NOT NULL,
            number INTEGER NOT NULL,
            PRIMARY KEY (session_key, packet_identifier)) WITHOUT ROWID;

        CREATE TABLE origin (
            session_key INTEGER NOT NULL,
            source INTEGER NOT NULL,
            shard INTEGER NOT NULL,
            number INTEGER NOT NULL,
            touched_at INTEGER NOT NULL,
            PRIMARY KEY (session_key, source, shard)) WITHOUT ROWID;

        CREATE TABLE will (
            client_id TEXT NOT NULL,
            connection_number INTEGER NOT NULL,
            node TEXT NOT NULL,
            body BLOB NOT NULL,
            delay_seconds INTEGER NOT NULL,
            expiry_seconds INTEGER,
            PRIMARY KEY (client_id, connection_number)) WITHOUT ROWID;
        CREATE INDEX will_node ON will (node);

        CREATE TABLE node (
            name TEXT PRIMARY KEY,
            fenced INTEGER NOT NULL) WITHOUT ROWID;

        CREATE TABLE retained (
            retained_key INTEGER PRIMARY KEY,
            topic BLOB NOT NULL UNIQUE,
            partition_number INTEGER NOT NULL,
            body BLOB NOT NULL,
            expires_at INTEGER NOT NULL);
        CREATE INDEX retained_partition ON retained (partition_number);

        CREATE TABLE setting (
            name TEXT PRIMARY KEY,
            value TEXT NOT NULL) WITHOUT ROWID;
        """;
}
