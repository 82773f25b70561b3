using System.Globalization;
using Broker.Grains.Interfaces.Records;
using Broker.Grains.Storage.Writes;
using Microsoft.Data.Sqlite;
using Microsoft.Extensions.Logging;

namespace Broker.Grains.Storage.Sqlite;

/// <summary>The store in one SQLite file: a writing connection, a reading one, and what to do when the file is bad.</summary>
/// <param name="options">Which file, and how to treat it.</param>
/// <param name="node">This process's name, different at each start.</param>
/// <param name="codec">Makes the stored form of messages.</param>
/// <param name="clock">Tells when connections of others ended.</param>
/// <param name="logger">Hears of a damaged file.</param>
internal sealed partial class SqliteDatabase(SqliteOptions options, string node, MessageCodec codec, TimeProvider clock, ILogger<SqliteDatabase> logger)
    : IStoreDatabase
{
    private const string OpenMark = "store.open";
    private const string StartCount = "store.starts";

    // A full disk often has room for a row and none for a batch: the probe must not succeed too easily.
    private static readonly string ProbeSql =
        $"BEGIN IMMEDIATE; INSERT INTO setting VALUES ('store.probe', hex(zeroblob({64 * 1024}))); DELETE FROM setting WHERE name = 'store.probe'; COMMIT";

    private SqliteLink? link;
    private SqliteWriter? writer;
    private SqliteReader? reader;
    private bool reconnect;

    /// <inheritdoc/>
    public int ReadsAtOnce => 1;

    /// <inheritdoc/>
    public void Open()
    {
        try
        {
            if (Path.GetDirectoryName(Path.GetFullPath(options.Path)) is { } folder) Directory.CreateDirectory(folder);
            try
            {
                Connect();
            }
            catch (SqliteException error) when (SqliteFaults.IsCorruption(error))
            {
                Disconnect();
                LogSetAside(options.Path, SqliteFile.SetAside(options.Path, clock.GetUtcNow()), error);
                Connect();
            }

            reader = new SqliteReader(options, codec, node);
        }
        catch (Exception error) when (error is SqliteException or StoreException or IOException or UnauthorizedAccessException)
        {
            Disconnect();
            throw new StoreException($"The database {options.Path} cannot be opened: {error.Message}", error);
        }
    }

    /// <inheritdoc/>
    public void Commit(IReadOnlyList<StoreWrite> batch) => Guard(() =>
    {
        if (reconnect) Reconnect();
        writer!.Commit(batch);
    });

    /// <inheritdoc/>
    public void Probe() => Guard(() =>
    {
        if (reconnect) Reconnect();
        try
        {
            link!.Execute(ProbeSql);
        }
        finally
        {
            if (link!.IsInTransaction) link.Execute("ROLLBACK");
        }
    });

    /// <inheritdoc/>
    public IReadOnlyList<ShardSubscription> ReadSubscriptions(int shard) => Reader.ReadSubscriptions(shard);

    /// <inheritdoc/>
    public IReadOnlyList<Record> ReadRecords(long after, int limit) => Reader.ReadRecords(after, limit);

    /// <inheritdoc/>
    public StoredRetained ReadRetained(int partition, long after, int limit) => Reader.ReadRetained(partition, after, limit);

    /// <inheritdoc/>
    public IReadOnlyList<SessionSummary> ReadSessions(int partition) => Reader.ReadSessions(partition);

    /// <inheritdoc/>
    public IReadOnlyList<string> ReadDue(long nowMs, int limit) => Reader.ReadDue(nowMs, limit);

    /// <inheritdoc/>
    public IReadOnlyList<StoredWill> ReadWills(string node) => Reader.ReadWills(node);

    /// <inheritdoc/>
    public IReadOnlyList<string> ReadNodesWithWills() => Reader.ReadNodesWithWills();

    /// <inheritdoc/>
    public IDelayedReader Delayed => Reader.Delayed;

    /// <inheritdoc/>
    public void Fence(string other)
    {
        _ = Reader; // not once it is closed
        try
        {
            SqliteFence.Fence(options, node, other, NowMs);
        }
        catch (SqliteException error)
        {
            throw new StoreUnavailableException($"Node {other} cannot be fenced: {error.Message}", error);
        }
    }

    private long NowMs => clock.GetUtcNow().ToUnixTimeMilliseconds();

    private SqliteReader Reader => reader ?? throw new StoreUnavailableException("The database is not open.");

    /// <summary>Marks the end as clean and closes both connections, the writing one last so that the log is folded into the file.</summary>
    public void Dispose()
    {
        reader?.Dispose();
        reader = null;
        try
        {
            // Not if it never opened: a newer schema is not ours to touch.
            if (writer is not null) link?.Execute($"DELETE FROM setting WHERE name = '{OpenMark}'");
        }
        finally
        {
            Disconnect();
        }
    }

    private void Connect()
    {
        link = new SqliteLink(options);
        _ = link.Query("SELECT count(*) FROM sqlite_master");
        if (link.Query("SELECT 1 FROM sqlite_master WHERE name = 'setting'") is not null
            && link.Query($"SELECT 1 FROM setting WHERE name = '{OpenMark}'") is not null)
        {
            SqliteFile.Check(link, options.CheckTimeLimit, clock);
        }

        SqliteSchema.Migrate(link, SqliteSchema.Steps);
        var start = CountStart(link);
        link.Execute($"INSERT OR REPLACE INTO setting VALUES ('{OpenMark}', '1')");
        // Bodies are released with their last entry; this is for entries whose removal did not name its body.
        link.Execute("DELETE FROM body WHERE NOT EXISTS (SELECT 1 FROM queue WHERE queue.body_id = body.body_id)");
        // No connection outlives the process that had it, and the file is used by one.
        SqliteFence.EndConnections(link, "true", NowMs);
        link.Execute("DELETE FROM node");
        writer = new SqliteWriter(link, codec, start, node, clock);
    }

    /// <summary>A file found damaged while running is not set aside: that is for the next start, when somebody looks.
    /// One that has vanished is not created anew.</summary>
    private void Reconnect()
    {
        Disconnect();
        link = new SqliteLink(options, SqliteOpenMode.ReadWrite);
        writer = new SqliteWriter(link, codec, CountStart(link), node, clock);
        reconnect = false;
    }

    private static long CountStart(SqliteLink link) => long.Parse(
        link.Query($"""
            INSERT INTO setting VALUES ('{StartCount}', '1') ON CONFLICT (name) DO UPDATE SET value = CAST(value + 1 AS TEXT) RETURNING value
            """)!,
        CultureInfo.InvariantCulture);

    private void Disconnect()
    {
        writer = null;
        link?.Dispose();
        link = null;
    }

    private void Guard(Action act)
    {
        try
        {
            act();
        }
        catch (SqliteException error)
        {
            reconnect |= SqliteFaults.WantsNewConnection(error);
            throw new StoreUnavailableException($"The database cannot be written: {error.Message} ({error.SqliteExtendedErrorCode})", error);
        }
    }
}
