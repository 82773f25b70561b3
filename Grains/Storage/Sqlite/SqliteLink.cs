using Microsoft.Data.Sqlite;
using SQLitePCL;

namespace Broker.Grains.Storage.Sqlite;

/// <summary>An open connection and the statements prepared on it. One thread at a time.</summary>
internal sealed class SqliteLink : IDisposable
{
    private readonly SqliteConnection connection;
    private readonly List<SqliteStatement> statements = [];

    /// <param name="options">Which file, and how to treat it.</param>
    /// <param name="mode">Whether it may write, and whether it may create the file.</param>
    public SqliteLink(SqliteOptions options, SqliteOpenMode mode = SqliteOpenMode.ReadWriteCreate)
    {
        connection = new SqliteConnection(new SqliteConnectionStringBuilder
        {
            DataSource = options.Path,
            Mode = mode,
            Pooling = false,
        }.ToString());
        try
        {
            connection.Open();
            raw.sqlite3_busy_timeout(Handle, (int)options.BusyTimeout.TotalMilliseconds);
            Execute($"PRAGMA mmap_size = {options.MmapBytes}");
            if (mode != SqliteOpenMode.ReadOnly) SetUpWriting(options);
        }
        catch
        {
            connection.Dispose();
            throw;
        }
    }

    /// <summary>SQLite's own handle.</summary>
    public sqlite3 Handle => connection.Handle!;

    /// <summary>False once SQLite has rolled the transaction back by itself, as it does when the disk is full.</summary>
    public bool IsInTransaction => raw.sqlite3_get_autocommit(Handle) == 0;

    /// <summary>The key of the row inserted last.</summary>
    public long LastInsertedKey => raw.sqlite3_last_insert_rowid(Handle);

    /// <summary>Rows the last statement changed.</summary>
    public int Changes => raw.sqlite3_changes(Handle);

    /// <summary>Prepares a statement that lives as long as the link.</summary>
    public SqliteStatement Prepare(string sql)
    {
        var statement = new SqliteStatement(Handle, sql);
        statements.Add(statement);
        return statement;
    }

    /// <summary>Runs one or more statements once.</summary>
    public void Execute(string sql)
    {
        using var command = connection.CreateCommand();
        command.CommandText = sql;
        command.ExecuteNonQuery();
    }

    /// <summary>The first column of the first row as text; null if there is none.</summary>
    public string? Query(string sql)
    {
        using var statement = new SqliteStatement(Handle, sql);
        return statement.Read() ? statement.TextOrNull(0) : null;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var statement in statements) statement.Dispose();
        connection.Dispose();
    }

    private void SetUpWriting(SqliteOptions options)
    {
        Execute("PRAGMA journal_mode = WAL");
        Execute($"PRAGMA synchronous = {(options.SyncEveryCommit ? "FULL" : "NORMAL")}");
        Execute($"PRAGMA cache_size = -{options.CacheKilobytes}");
        Execute($"PRAGMA wal_autocheckpoint = {options.CheckpointPages}");
        // A log that grew in a burst shrinks to twice its usual size.
        Execute($"PRAGMA journal_size_limit = {2L * options.CheckpointPages * 4096}");
        if (options.MaxPages > 0) Execute($"PRAGMA max_page_count = {options.MaxPages}");
    }
}
