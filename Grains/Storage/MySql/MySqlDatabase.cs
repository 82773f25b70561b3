using System.Globalization;
using Broker.Grains.Interfaces.Records;
using Broker.Grains.Storage.Writes;
using MySqlConnector;

namespace Broker.Grains.Storage.MySql;

/// <summary>The store in a MySQL or MariaDB database that several nodes share: a writing connection, pooled reading ones.</summary>
/// <param name="options">Which database.</param>
/// <param name="node">This process's name, different at each start.</param>
/// <param name="codec">Makes the stored form of messages.</param>
/// <param name="clock">Tells when another node's connections ended.</param>
internal sealed class MySqlDatabase(MySqlOptions options, string node, MessageCodec codec, TimeProvider clock) : IStoreDatabase
{
    private MySqlWriter? writer;
    private MySqlReader? reader;

    /// <inheritdoc/>
    /// <remarks>A process that takes shards over reads many of them; more at once would only wait for the server's disk.</remarks>
    public int ReadsAtOnce => 4;

    /// <inheritdoc/>
    public void Open()
    {
        try
        {
            if (new MySqlConnectionStringBuilder(options.ConnectionString).Database.Length == 0) throw new StoreException("The connection string names no database.");
            using (var link = new MySqlLink(options, pooled: false, options.LockWait))
            {
                MySqlSchema.Migrate(link, MySqlSchema.Steps);
                MySqlFence.Join(link, node, NowMs);
                writer = new MySqlWriter(options, codec, node, CountStart(link), clock);
            }

            // Bodies are released with their last entry; this is for entries whose removal did not name its body.
            writer.ReleaseBodies();
            reader = new MySqlReader(options, codec);
        }
        catch (Exception error) when (error is not StoreException)
        {
            throw new StoreException("The database cannot be opened: " + MySqlFaults.Describe(error), error);
        }
    }

    /// <inheritdoc/>
    public void Commit(IReadOnlyList<StoreWrite> batch) => writer!.Commit(batch);

    /// <inheritdoc/>
    public void Probe() => writer!.Probe();

    /// <inheritdoc/>
    public void Fence(string other)
    {
        _ = Reader; // not once it is closed
        try
        {
            MySqlFence.Fence(options, node, other, NowMs);
        }
        catch (Exception error) when (error is not StoreException)
        {
            throw new StoreUnavailableException($"Node {other} cannot be fenced: {MySqlFaults.Describe(error)}", error);
        }
    }

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
    public IDelayedReader Delayed => new MySqlDelayedReader(Reader, codec);

    /// <inheritdoc/>
    public void Dispose()
    {
        reader = null;
        try
        {
            writer?.Leave();
        }
        finally
        {
            writer?.Dispose();
            writer = null;
        }
    }

    private MySqlReader Reader => reader ?? throw new StoreUnavailableException("The database is not open.");

    private long NowMs => clock.GetUtcNow().ToUnixTimeMilliseconds();

    /// <summary>A number that no other start of any node has.</summary>
    private static long CountStart(MySqlLink link) => link.Number(string.Create(CultureInfo.InvariantCulture, $"""
        START TRANSACTION;
        INSERT INTO setting (name, value) VALUES ('store.starts', '1') ON DUPLICATE KEY UPDATE value = CAST(value AS UNSIGNED) + 1;
        SELECT CAST(value AS UNSIGNED) FROM setting WHERE name = 'store.starts';
        COMMIT
        """)) ?? 0;
}
