namespace Broker.Grains.Storage.MySql;

/// <summary>The tables of Orleans' ADO.NET clustering and the statements it looks up in OrleansQuery. Of our own making: its packages bring none.</summary>
internal static class MembershipSchema
{
    /// <summary>The statements that create it; may be run again.</summary>
    /// <remarks>`Version` is the version of the table that the caller expects: it is raised, and the member's row written, only if it is still that.
    /// Nothing here ends in an error where a lost race is an answer: an error would leave the transaction open on a pooled connection.</remarks>
    public const string Sql = """
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
        """;
}
