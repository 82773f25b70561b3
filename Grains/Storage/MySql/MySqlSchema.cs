using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using MySqlConnector;

namespace Broker.Grains.Storage.MySql;

/// <summary>Creates the tables and brings older ones up to date, one numbered step after another. One node does it, the others wait.</summary>
internal static class MySqlSchema
{
    /// <summary>Where the same statements lie for those who let no program do it.</summary>
    public const string ScriptName = "deploy/schema/mysql.sql";

    private const int LockWaitSeconds = 60;

    private const string VersionTable = "CREATE TABLE IF NOT EXISTS schema_version (version INT NOT NULL PRIMARY KEY) ENGINE=InnoDB;";

    /// <summary>The steps in order; the first makes version 1. A step that was released is never edited, a change is a new one.
    /// DDL cannot be undone, so that each step must stand being run again after it was cut off.</summary>
    public static IReadOnlyList<string> Steps { get; } = [SchemaVersion1.Sql + "\n\n" + MembershipSchema.Sql, SchemaVersion2.Sql, SchemaVersion3.Sql];

    /// <summary>All of it as a script.</summary>
    public static string Script() => string.Create(CultureInfo.InvariantCulture, $"""
        -- The tables of the broker, for MySQL 8 and MariaDB 10.11. It makes them by itself if its user may; otherwise run this, in an empty database,
        -- as a user who may. At run time it needs SELECT, INSERT, UPDATE and DELETE on them.

        {string.Join("\n\n", Steps)}

        {VersionTable}
        INSERT INTO schema_version (version) SELECT {Steps.Count} FROM DUAL WHERE NOT EXISTS (SELECT 1 FROM schema_version);

        """);

    /// <summary>Brings the database to the newest version.</summary>
    /// <exception cref="StoreException">It was written by a newer program, or the user may not create tables.</exception>
    public static void Migrate(MySqlLink link, IReadOnlyList<string> steps)
    {
        if (Version(link, steps.Count) == steps.Count) return;
        var name = LockName(link);
        if (link.Number($"SELECT GET_LOCK('{name}', {LockWaitSeconds})", TimeSpan.FromSeconds(LockWaitSeconds + 10)) != 1)
        {
            throw new StoreException($"Another node has been changing the schema for {LockWaitSeconds} s.");
        }

        try
        {
            Migrate(link, Version(link, steps.Count), steps);
        }
        catch (MySqlException error) when (error.ErrorCode is MySqlErrorCode.TableAccessDenied or MySqlErrorCode.DatabaseAccessDenied or MySqlErrorCode.ColumnAccessDenied)
        {
            throw new StoreException(
                $"The schema is not of version {steps.Count} and this user may not change it ({error.Message}). Run {ScriptName} as a user who may.", error);
        }
        finally
        {
            if (link.IsOpen) link.Execute($"DO RELEASE_LOCK('{name}')");
        }
    }

    private static void Migrate(MySqlLink link, int version, IReadOnlyList<string> steps)
    {
        // Not bounded as other commands are: a later step may rewrite a large table.
        for (; version < steps.Count; version++)
        {
            link.Execute(steps[version], Timeout.InfiniteTimeSpan);
            link.Execute(string.Create(CultureInfo.InvariantCulture, $"{VersionTable} DELETE FROM schema_version; INSERT INTO schema_version VALUES ({version + 1})"));
        }
    }

    private static int Version(MySqlLink link, int newest)
    {
        if (link.Number("SELECT COUNT(*) FROM information_schema.tables WHERE table_schema = DATABASE() AND table_name = 'schema_version'") == 0) return 0;
        var version = (int)(link.Number("SELECT MAX(version) FROM schema_version") ?? 0);
        if (version <= newest) return version;
        throw new StoreException(
            $"The database has schema version {version}; this program knows versions up to {newest}. Start a newer program, or restore a backup.");
    }

    /// <summary>Locks are named for the whole server: the database is part of the name, in 64 characters at most.</summary>
    private static string LockName(MySqlLink link) => "broker." + Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(link.Database)))[..32];
}
