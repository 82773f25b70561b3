using Microsoft.Data.Sqlite;
using SQLitePCL;

namespace Broker.Grains.Storage.Sqlite;

/// <summary>What a result code of SQLite means to the store.</summary>
internal static class SqliteFaults
{
    /// <summary>The file is no database or a damaged one.</summary>
    public static bool IsCorruption(SqliteException error) => error.SqliteErrorCode is raw.SQLITE_CORRUPT or raw.SQLITE_NOTADB;

    /// <summary>The row exists already.</summary>
    public static bool IsTaken(SqliteException error) => error.SqliteErrorCode == raw.SQLITE_CONSTRAINT;

    /// <summary>The one statement cannot be executed and the transaction goes on. Everything else is an outage, the unexpected included:
    /// waiting loses nothing, dropping a write may.</summary>
    public static bool IsRefusal(SqliteException error) =>
        error.SqliteErrorCode is raw.SQLITE_CONSTRAINT or raw.SQLITE_TOOBIG or raw.SQLITE_MISMATCH or raw.SQLITE_RANGE;

    /// <summary>True if a new connection may help: not for a full disk or somebody else's lock.</summary>
    public static bool WantsNewConnection(SqliteException error) =>
        error.SqliteErrorCode is not (raw.SQLITE_FULL or raw.SQLITE_BUSY or raw.SQLITE_LOCKED);
}
