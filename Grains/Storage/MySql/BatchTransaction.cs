using Broker.Grains.Storage.Writes;
using MySqlConnector;

namespace Broker.Grains.Storage.MySql;

/// <summary>One attempt at a batch on one connection. Writer thread.</summary>
/// <remarks>The first attempt writes everything in a few statements. If the server refuses one of them, the next attempt is careful: it halves what was refused
/// until single writes are left, and those are refused.</remarks>
internal sealed class BatchTransaction
{
    private readonly MySqlLink link;
    private readonly SqlScript script;
    private readonly PlanWriter writer;
    private readonly BatchState state = new();
    private readonly string node;

    public BatchTransaction(MySqlLink link, MySqlOptions options, MessageCodec codec, BodyIds bodyIds, string node, TimeProvider clock)
    {
        (this.link, this.node) = (link, node);
        script = new SqlScript(link, options);
        writer = new PlanWriter(script, codec, bodyIds, node, clock);
    }

    /// <summary>Writes all but COMMIT.</summary>
    /// <param name="batch">What to write; refused writes are marked.</param>
    /// <param name="number">Proves, once it is stored with the node, that this transaction was committed.</param>
    /// <param name="isCareful">Whether to look for writes the server refuses.</param>
    /// <exception cref="NodeFencedException">The node may not write.</exception>
    public void Write(IReadOnlyList<StoreWrite> batch, long number, bool isCareful)
    {
        script.Clear();
        foreach (var write in batch) write.Refusal = null;
        Begin(batch, number);
        if (isCareful) WriteCarefully(batch, 0, batch.Count);
        else WriteParts(batch, 0, batch.Count);
    }

    /// <summary>Takes out shared bodies that no entry refers to, in a transaction of its own.</summary>
    public void ReleaseBodies(IReadOnlyCollection<long> ids)
    {
        script.Clear();
        script.Statement().Add("START TRANSACTION;");
        writer.Release(ids);
        script.Statement().Add("COMMIT;");
        script.Run();
    }

    /// <summary>Locks the node and the sessions, and reads them: what is decided by that holds until COMMIT, whatever other nodes want.</summary>
    /// <remarks>The locks are exclusive, as some of the sessions are going to be changed: two nodes that both shared one could not go on.</remarks>
    private void Begin(IReadOnlyList<StoreWrite> batch, long number)
    {
        state.Clear();
        script.Statement().Add("START TRANSACTION;UPDATE node SET commit_number = ").Value(number).Add(" WHERE fenced = 0 AND name = ").Value(node)
            .Add(";SELECT fenced FROM node WHERE name = ").Value(node).Add(";");
        var (keys, clients) = BatchState.Subjects(batch);
        script.Lists("SELECT session_key, epoch FROM session WHERE session_key IN (", keys, ") ORDER BY session_key FOR UPDATE");
        script.Lists(
            "SELECT session_key, epoch, client_id FROM session WHERE client_hash IN (", clients, static (sql, client) => sql.Value(SqlText.Hash(client)), ") FOR UPDATE");
        var isFenced = true;
        script.Read(row =>
        {
            if (row.FieldCount == 1)
            {
                isFenced = row.GetInt32(0) != 0;
                return;
            }

            state.Epochs[row.GetInt64(0)] = row.GetInt64(1);
            if (row.FieldCount == 3) state.Clients[System.Text.Encoding.UTF8.GetString((byte[])row[2])] = row.GetInt64(0);
        });
        if (isFenced) throw new NodeFencedException(node);
    }

    private void WriteParts(IReadOnlyList<StoreWrite> batch, int from, int to)
    {
        while (from < to)
        {
            var plan = new BatchPlan(state);
            while (from < to && plan.TryAdd(batch[from])) from++;
            writer.Execute(plan);
            plan.Apply();
        }
    }

    private void WriteCarefully(IReadOnlyList<StoreWrite> batch, int from, int to)
    {
        if (from == to) return;
        link.Execute("SAVEPOINT part");
        try
        {
            if (to - from == 1) WriteParts(batch, from, to);
            else WriteOnePart(batch, from, to);
        }
        catch (Exception error) when (IsRefusal(error))
        {
            script.Clear();
            link.Execute("ROLLBACK TO SAVEPOINT part");
            if (to - from == 1)
            {
                batch[from].Refusal = Explain(batch[from], error);
                return;
            }

            var middle = (from + to) / 2;
            WriteCarefully(batch, from, middle);
            WriteCarefully(batch, middle, to);
        }
    }

    /// <summary>As <see cref="WriteParts"/>, but what does not fit into the first part is undone with it and comes in a smaller one.</summary>
    private void WriteOnePart(IReadOnlyList<StoreWrite> batch, int from, int to)
    {
        var plan = new BatchPlan(state);
        for (var i = from; i < to; i++)
        {
            if (!plan.TryAdd(batch[i])) throw new StoreException("It belongs in two parts.");
        }

        writer.Execute(plan);
        plan.Apply();
    }

    /// <summary>True if a write is at fault and the connection is not.</summary>
    public bool IsRefusal(Exception error) => error switch
    {
        MySqlException server => link.IsOpen && MySqlFaults.IsRefusal(server) && !MySqlFaults.IsRepeatable(server),
        NodeFencedException or StoreUnavailableException => false,
        _ => link.IsOpen && !MySqlFaults.IsLoss(error),
    };

    private StoreException Explain(StoreWrite write, Exception error)
    {
        if (error is MySqlException server && MySqlFaults.IsTaken(server) && TakenKey(write) is { } key) return new SessionFencedException(key);
        return error as StoreException ?? new StoreException("The write cannot be stored: " + error.Message, error);
    }

    /// <summary>The session whose place in the queue is taken; null if that is not what was refused.</summary>
    private long? TakenKey(StoreWrite write)
    {
        var appends = (write is WriteGroup group ? group.Members : [write]).OfType<AppendToQueue>().ToArray();
        if (appends.Length == 0) return null;
        long? taken = null;
        script.Lists("SELECT session_key FROM queue WHERE (session_key, sequence) IN (", appends.Select(append => (append.Lease.Key, append.Sequence)));
        script.Read(row => taken ??= row.GetInt64(0));
        return taken ?? appends[0].Lease.Key;
    }
}
