namespace Broker.Tests.Unit.Grains.Storage.Sqlite;

/// <summary>A database as the first release wrote it, dumped. Never edited: what it holds must stay readable.</summary>
internal static class VersionOneFixture
{
    public const string Sql = """
        CREATE TABLE body (
            body_id INTEGER PRIMARY KEY,
            body BLOB NOT NULL);
        INSERT INTO "body" VALUES(1099511627777,X'0120204007612F63E0410D7368617265640915030101C10141137075626C69736865720101E0');
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
        INSERT INTO "queue" VALUES(1,1,1,X'0120204007612F62E041076F776E0915030101C10141137075626C69736865720101E0',NULL,1,0,0,0,X'09000000');
        INSERT INTO "queue" VALUES(2,1,2,NULL,1099511627777,2,0,1,3,NULL);
        CREATE TABLE receipt (
            session_key INTEGER NOT NULL,
            packet_identifier INTEGER NOT NULL,
            number INTEGER NOT NULL,
            PRIMARY KEY (session_key, packet_identifier)) WITHOUT ROWID;
        INSERT INTO "receipt" VALUES(1,7,12);
        CREATE TABLE origin (
            session_key INTEGER NOT NULL,
            source INTEGER NOT NULL,
            shard INTEGER NOT NULL,
            number INTEGER NOT NULL,
            touched_at INTEGER NOT NULL,
            PRIMARY KEY (session_key, source, shard)) WITHOUT ROWID;
        INSERT INTO "origin" VALUES(1,5,6,7,8);
        CREATE TABLE will (
            client_id TEXT NOT NULL,
            connection_number INTEGER NOT NULL,
            node TEXT NOT NULL,
            body BLOB NOT NULL,
            delay_seconds INTEGER NOT NULL,
            expiry_seconds INTEGER,
            PRIMARY KEY (client_id, connection_number)) WITHOUT ROWID;
        CREATE INDEX will_node ON will (node);
        INSERT INTO "will" VALUES('will',9,'old',X'012020400977696C6CE04109676F6E650915030101C10141137075626C69736865720101E0',1,2);
        CREATE TABLE node (
            name TEXT PRIMARY KEY,
            fenced INTEGER NOT NULL) WITHOUT ROWID;
        INSERT INTO "node" VALUES('old',0);
        CREATE TABLE retained (
            retained_key INTEGER PRIMARY KEY,
            topic BLOB NOT NULL UNIQUE,
            partition_number INTEGER NOT NULL,
            body BLOB NOT NULL,
            expires_at INTEGER NOT NULL);
        INSERT INTO "retained" VALUES(1,X'72',2,X'012020400372E041096B6570740915030101C10141137075626C69736865720101E0',0);
        CREATE TABLE schema_version (version INTEGER NOT NULL);
        INSERT INTO "schema_version" VALUES(1);
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
        INSERT INTO "session" VALUES(1,'client',0,3,5,4294967295,0,7,11,5,'user',X'012020400977696C6CE04109676F6E650915030101C10141137075626C69736865720101E0',30,77,41,99,41,NULL);
        CREATE TABLE setting (
            name TEXT PRIMARY KEY,
            value TEXT NOT NULL) WITHOUT ROWID;
        INSERT INTO "setting" VALUES('shards','64');
        INSERT INTO "setting" VALUES('store.starts','1');
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
        INSERT INTO "subscription" VALUES(1,'a/+',17,5,2,1,1,1,9,'3/a/b');
        CREATE INDEX session_partition ON session (partition_number);
        CREATE INDEX session_due ON session (due_at) WHERE due_at IS NOT NULL;
        CREATE INDEX subscription_shard ON subscription (shard);
        CREATE INDEX queue_body ON queue (body_id) WHERE body_id IS NOT NULL;
        CREATE INDEX retained_partition ON retained (partition_number);
        INSERT INTO "sqlite_sequence" VALUES('session',1);
        """;
}
