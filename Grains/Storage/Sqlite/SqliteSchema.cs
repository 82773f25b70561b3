using System.Globalization;

namespace Broker.Grains.Storage.Sqlite;

/// <summary>Creates the tables and brings older ones up to date, one numbered step after another, all in one transaction.</summary>
internal static class SqliteSchema
{
    /// <summary>The steps in order; the first makes version 1. A step that was released is never edited, a change is a new one.</summary>
    public static IReadOnlyList<string> Steps { get; } = [SchemaVersion1.Sql, SchemaVersion2.Sql, SchemaVersion3.Sql];

    /// <summary>Brings the database to the newest version.</summary>
    /// <exception cref="StoreException">It was written by a newer program.</exception>
    public static void Migrate(SqliteLink link, IReadOnlyList<string> steps)
    {
        link.Execute("BEGIN IMMEDIATE");
        try
        {
            link.Execute("CREATE TABLE IF NOT EXISTS schema_version (version INTEGER NOT NULL)");
            var version = int.Parse(link.Query("SELECT max(version) FROM schema_version") ?? "0", CultureInfo.InvariantCulture);
            if (version > steps.Count)
            {
                throw new StoreException(
                    $"The database has schema version {version}; this program knows versions up to {steps.Count}. Start a newer program, or restore a backup.");
            }

            for (; version < steps.Count; version++) link.Execute(steps[version]);
            link.Execute($"DELETE FROM schema_version; INSERT INTO schema_version VALUES ({version})");
            link.Execute("COMMIT");
        }
        catch
        {
            if (link.IsInTransaction) link.Execute("ROLLBACK");
            throw;
        }
    }
}
