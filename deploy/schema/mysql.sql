-- The tables of the broker, for MySQL 8 and MariaDB 10.11. It makes them by itself if its user may; otherwise run this, in an empty database,
-- as a user who may. At run time it needs SELECT, INSERT, UPDATE and DELETE on them.

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

CREATE TABLE IF NOT EXISTS OrleansQuery (
    QueryKey VARCHAR(64) NOT NULL PRIMARY KEY,
    QueryText TEXT NOT NULL) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4;

CREATE TABLE IF NOT EXISTS OrleansMembershipVersionTable (
    DeploymentId VARBINARY(150) NOT NULL PRIMARY KEY,
    Timestamp DATETIME(6) NOT NULL,
    Version INT NOT NULL) ENGINE=InnoDB;

CREATE TABLE IF NOT EXISTS OrleansMembershipTable (
    DeploymentId VARBINARY(150) NOT NULL,
    Address VARCHAR(45) CHARACTER SET ascii NOT NULL,
    Port INT NOT NULL,
    Generation INT NOT NULL,
    SiloName VARCHAR(150) CHARACTER SET utf8mb4 NOT NULL,
    HostName VARCHAR(150) CHARACTER SET utf8mb4 NOT NULL,
    Status INT NOT NULL,
    ProxyPort INT NOT NULL,
    SuspectTimes TEXT CHARACTER SET ascii,
    StartTime DATETIME(6) NOT NULL,
    IAmAliveTime DATETIME(6) NOT NULL,
    PRIMARY KEY (DeploymentId, Address, Port, Generation)) ENGINE=InnoDB;

INSERT INTO OrleansQuery (QueryKey, QueryText) VALUES
('InsertMembershipVersionKey', '
    INSERT INTO OrleansMembershipVersionTable (DeploymentId, Timestamp, Version) VALUES (@DeploymentId, UTC_TIMESTAMP(6), 0)
        ON DUPLICATE KEY UPDATE Version = Version;
    SELECT ROW_COUNT() > 0;'),
('MembershipReadAllKey', '
    SELECT v.DeploymentId, m.Address, m.Port, m.Generation, m.SiloName, m.HostName, m.Status, m.ProxyPort, m.SuspectTimes, m.StartTime,
        m.IAmAliveTime, v.Version
    FROM OrleansMembershipVersionTable v LEFT JOIN OrleansMembershipTable m ON m.DeploymentId = v.DeploymentId
    WHERE v.DeploymentId = @DeploymentId;'),
('MembershipReadRowKey', '
    SELECT v.DeploymentId, m.Address, m.Port, m.Generation, m.SiloName, m.HostName, m.Status, m.ProxyPort, m.SuspectTimes, m.StartTime,
        m.IAmAliveTime, v.Version
    FROM OrleansMembershipVersionTable v LEFT JOIN OrleansMembershipTable m ON m.DeploymentId = v.DeploymentId
        AND m.Address = @Address AND m.Port = @Port AND m.Generation = @Generation
    WHERE v.DeploymentId = @DeploymentId;'),
('InsertMembershipKey', '
    START TRANSACTION;
    UPDATE OrleansMembershipVersionTable SET Timestamp = UTC_TIMESTAMP(6), Version = Version + 1
        WHERE DeploymentId = @DeploymentId AND Version = @Version;
    INSERT INTO OrleansMembershipTable (DeploymentId, Address, Port, Generation, SiloName, HostName, Status, ProxyPort, StartTime, IAmAliveTime)
        SELECT @DeploymentId, @Address, @Port, @Generation, @SiloName, @HostName, @Status, @ProxyPort, @StartTime, @IAmAliveTime FROM DUAL
        WHERE ROW_COUNT() > 0 AND NOT EXISTS (SELECT 1 FROM OrleansMembershipTable
            WHERE DeploymentId = @DeploymentId AND Address = @Address AND Port = @Port AND Generation = @Generation);
    SELECT ROW_COUNT() > 0;
    COMMIT;'),
('UpdateMembershipKey', '
    START TRANSACTION;
    UPDATE OrleansMembershipVersionTable SET Timestamp = UTC_TIMESTAMP(6), Version = Version + 1
        WHERE DeploymentId = @DeploymentId AND Version = @Version;
    UPDATE OrleansMembershipTable SET Status = @Status, SuspectTimes = @SuspectTimes, IAmAliveTime = @IAmAliveTime
        WHERE DeploymentId = @DeploymentId AND Address = @Address AND Port = @Port AND Generation = @Generation AND ROW_COUNT() > 0;
    SELECT ROW_COUNT() > 0;
    COMMIT;'),
('UpdateIAmAlivetimeKey', '
    UPDATE OrleansMembershipTable SET IAmAliveTime = @IAmAliveTime
        WHERE DeploymentId = @DeploymentId AND Address = @Address AND Port = @Port AND Generation = @Generation;'),
('GatewaysQueryKey', '
    SELECT Address, ProxyPort, Generation FROM OrleansMembershipTable
        WHERE DeploymentId = @DeploymentId AND Status = @Status AND ProxyPort > 0;'),
('DeleteMembershipTableEntriesKey', '
    DELETE FROM OrleansMembershipTable WHERE DeploymentId = @DeploymentId;
    DELETE FROM OrleansMembershipVersionTable WHERE DeploymentId = @DeploymentId;'),
('CleanupDefunctSiloEntriesKey', '
    DELETE FROM OrleansMembershipTable WHERE DeploymentId = @DeploymentId AND IAmAliveTime < @IAmAliveTime AND Status = 6;'),
('CleanupDefunctSiloEntryKey', '
    DELETE FROM OrleansMembershipTable
        WHERE DeploymentId = @DeploymentId AND Address = @Address AND Port = @Port AND Generation = @Generation AND Status = 6
            AND SuspectTimes <=> @SuspectTimes AND StartTime = @StartTime AND IAmAliveTime = @IAmAliveTime;')
ON DUPLICATE KEY UPDATE QueryText = VALUES(QueryText);

CREATE TABLE IF NOT EXISTS record (
    version BIGINT NOT NULL PRIMARY KEY,
    key_hash BINARY(32) NOT NULL,
    table_name VARBINARY(32) NOT NULL,
    record_key BLOB NOT NULL,
    value LONGBLOB,
    expires_at BIGINT NOT NULL,
    UNIQUE KEY record_key_hash (key_hash)) ENGINE=InnoDB;

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

CREATE TABLE IF NOT EXISTS schema_version (version INT NOT NULL PRIMARY KEY) ENGINE=InnoDB;
INSERT INTO schema_version (version) SELECT 3 FROM DUAL WHERE NOT EXISTS (SELECT 1 FROM schema_version);
