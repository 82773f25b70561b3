using Broker.Grains.Storage.Writes;
using MySqlConnector;

namespace Broker.Grains.Storage.MySql;

/// <summary>The writing connection's life: makes it, tries a batch again where that helps, and finds out whether a COMMIT whose answer was lost took place. Writer thread.</summary>
internal sealed class MySqlWriter(MySqlOptions options, MessageCodec codec, string node, long start, TimeProvider clock) : IDisposable
{
    /// <summary>A deadlock takes one of two batches; under a storm of them the same one may be taken a few times in a row.</summary>
    private const int MostRepeats = 20;

    private const int MostLockWaits = 2;

    private readonly BodyIds bodyIds = new(start);
    private MySqlLink? link;
    private BatchTransaction? transaction;
    private long committed;
    private long? doubtful;

    /// <inheritdoc cref="IStoreDatabase.Commit"/>
    public void Commit(IReadOnlyList<StoreWrite> batch)
    {
        Claim(batch);
        if (doubtful is not null && Resolve()) return;
        bool isCareful = false, hasReconnected = false;
        int repeats = 0, waits = 0;
        while (true)
        {
            try
            {
                if (TryCommit(batch, isCareful)) return;
            }
            catch (Exception error) when (error is not StoreUnavailableException and not NodeFencedException)
            {
                if (transaction is not null && transaction.IsRefusal(error) && !isCareful)
                {
                    isCareful = true;
                }
                else if (error is MySqlException server && link is { IsOpen: true } && MySqlFaults.IsRepeatable(server)
                    && repeats++ < MostRepeats && (server.ErrorCode != MySqlErrorCode.LockWaitTimeout || waits++ < MostLockWaits))
                {
                }
                else
                {
                    // A connection that was idle for long is gone; only if a new one does not help it is an outage.
                    var isLost = link is { IsOpen: false } || MySqlFaults.IsLoss(error);
                    Disconnect();
                    if (!isLost || hasReconnected || MySqlFaults.IsTimeout(error)) throw MySqlFaults.Outage(error);
                    hasReconnected = true;
                }
            }

            Undo();
        }
    }

    /// <inheritdoc cref="IStoreDatabase.Probe"/>
    public void Probe()
    {
        try
        {
            Connect();
            // A full disk often has room for a row and none for a batch: the probe must not succeed too easily.
            link!.Execute($"""
                START TRANSACTION;
                INSERT INTO setting (name, value) VALUES ('store.probe.{start}', REPEAT('x', 65000)) ON DUPLICATE KEY UPDATE value = VALUES(value);
                DELETE FROM setting WHERE name = 'store.probe.{start}';
                COMMIT
                """);
        }
        catch (Exception error) when (error is not StoreException)
        {
            Disconnect();
            throw MySqlFaults.Outage(error);
        }
    }

    /// <summary>Takes out what nobody refers to, a thousand bodies at a time.</summary>
    public void ReleaseBodies()
    {
        Connect();
        while (true)
        {
            var ids = new List<long>();
            var sql = new SqlText(0).Add("SELECT body_id FROM body WHERE NOT EXISTS (SELECT 1 FROM queue WHERE queue.body_id = body.body_id) LIMIT 1000");
            using (var reader = link!.Query(sql))
            {
                while (reader.Read()) ids.Add(reader.GetInt64(0));
            }

            if (ids.Count > 0) transaction!.ReleaseBodies(ids);
            if (ids.Count < 1000) return;
        }
    }

    /// <summary>Takes the node's row out if nothing is left of it: nobody need bury it.</summary>
    public void Leave()
    {
        if (link is not { IsOpen: true }) return;
        link.Execute(new SqlText(255).Add("DELETE FROM node WHERE fenced = 0 AND name = ").Value(node)
            .Add(" AND NOT EXISTS (SELECT 1 FROM will WHERE will.node = node.name) AND NOT EXISTS (SELECT 1 FROM session WHERE session.node = node.name)").Text);
    }

    /// <inheritdoc/>
    public void Dispose() => Disconnect();

    /// <summary>From here on none of the batch can be taken back: an attempt that is repeated must write the same.</summary>
    private static void Claim(IReadOnlyList<StoreWrite> batch)
    {
        foreach (var write in batch)
        {
            if (write is AppendToQueue append) append.TryClaim();
            else if (write is WriteGroup group) Claim(group.Members);
        }
    }

    private bool TryCommit(IReadOnlyList<StoreWrite> batch, bool isCareful)
    {
        Connect();
        transaction!.Write(batch, committed + 1, isCareful);
        try
        {
            link!.Execute("COMMIT");
            committed++;
            return true;
        }
        catch (MySqlException error) when (link!.IsOpen && MySqlFaults.IsRepeatable(error))
        {
            throw;
        }
        catch (Exception error)
        {
            doubtful = committed + 1;
            Disconnect();
            if (MySqlFaults.IsTimeout(error)) throw InDoubt(error);
            return Resolve();
        }
    }

    /// <summary>Waits for the transaction whose COMMIT was not answered, if the server still has it, and looks whether its number is there.</summary>
    /// <returns>True if it was committed; false if it was undone.</returns>
    /// <exception cref="StoreUnavailableException">It is still not known.</exception>
    private bool Resolve()
    {
        try
        {
            Connect();
            committed = link!.Number(new SqlText(255).Add("SELECT commit_number FROM node WHERE name = ").Value(node).Add(" FOR UPDATE").Text)
                ?? throw new NodeFencedException(node);
            var isCommitted = committed == doubtful;
            doubtful = null;
            return isCommitted;
        }
        catch (Exception error) when (error is not StoreException)
        {
            Disconnect();
            throw InDoubt(error);
        }
    }

    private static StoreUnavailableException InDoubt(Exception error) =>
        new("The connection to the database was lost inside COMMIT: " + MySqlFaults.Describe(error), error) { IsInDoubt = true };

    private void Connect()
    {
        if (link is { IsOpen: true }) return;
        Disconnect();
        link = new MySqlLink(options, pooled: false, options.LockWait);
        transaction = new BatchTransaction(link, options, codec, bodyIds, node, clock);
    }

    private void Disconnect()
    {
        transaction = null;
        link?.Dispose();
        link = null;
    }

    private void Undo()
    {
        if (link is not { IsOpen: true }) return;
        try
        {
            link.Execute("ROLLBACK");
        }
        catch (MySqlException)
        {
            Disconnect(); // which undoes it as well
        }
    }
}
