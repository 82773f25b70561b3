using Broker.Grains.Storage.Writes;
using Microsoft.Data.Sqlite;

namespace Broker.Grains.Storage.Sqlite;

/// <summary>Executes batches on the writing connection: one transaction each, every session's epoch looked at once. Writer thread.</summary>
internal sealed class SqliteWriter
{
    private readonly SqliteLink link;
    private readonly BodyTable bodies;
    private readonly QueueTable queue;
    private readonly SessionTable sessions;
    private readonly SubscriptionTable subscriptions;
    private readonly ReceiptTable receipts;
    private readonly RetainedTable retained;
    private readonly SettingTable settings;
    private readonly OriginTable origins;
    private readonly WillTable wills;
    private readonly RecordTable records;
    private readonly DelayedTable delayed;
    private readonly string node;
    private readonly SqliteStatement selectFenced;
    private readonly SqliteStatement begin, commit, rollback, savepoint, release, undo;
    private readonly Dictionary<long, long?> epochs = [];

    public SqliteWriter(SqliteLink link, MessageCodec codec, long start, string node, TimeProvider clock)
    {
        (this.link, this.node) = (link, node);
        bodies = new BodyTable(link, codec, start);
        queue = new QueueTable(link, bodies);
        sessions = new SessionTable(link, bodies, codec, node);
        subscriptions = new SubscriptionTable(link);
        receipts = new ReceiptTable(link);
        retained = new RetainedTable(link, bodies);
        settings = new SettingTable(link);
        origins = new OriginTable(link, clock);
        wills = new WillTable(link, bodies, node);
        records = new RecordTable(link);
        delayed = new DelayedTable(link, bodies);
        selectFenced = link.Prepare("SELECT 1 FROM node WHERE name = ?1 AND fenced = 1");
        // IMMEDIATE: the epochs read below cannot change before COMMIT, whoever else has the file open.
        begin = link.Prepare("BEGIN IMMEDIATE");
        commit = link.Prepare("COMMIT");
        rollback = link.Prepare("ROLLBACK");
        savepoint = link.Prepare("SAVEPOINT write_group");
        release = link.Prepare("RELEASE write_group");
        undo = link.Prepare("ROLLBACK TO write_group");
    }

    /// <summary>Writes all in one transaction; refused writes are marked and leave the others alone.</summary>
    /// <exception cref="SqliteException">Nothing was stored.</exception>
    /// <exception cref="NodeFencedException">Nothing was stored.</exception>
    public void Commit(IReadOnlyList<StoreWrite> batch)
    {
        epochs.Clear();
        bodies.Forget();
        origins.Clear();
        begin.Run();
        try
        {
            CheckFence();
            for (var i = 0; i < batch.Count; i++)
            {
                if (batch[i] is WriteGroup group) ExecuteGroup(group);
                else if ((batch[i].Refusal = Execute(batch[i])) is null) origins.Note(batch[i]);
            }

            origins.Flush();
            commit.Run();
        }
        catch
        {
            // SQLite has rolled back by itself after the worst errors.
            if (link.IsInTransaction) rollback.Run();
            throw;
        }
    }

    private void ExecuteGroup(WriteGroup group)
    {
        group.Refusal = null;
        savepoint.Run();
        foreach (var member in group.Members)
        {
            group.Refusal = Execute(member);
            if (group.Refusal is null) continue;
            undo.Run();
            bodies.Forget();
            epochs.Clear();
            break;
        }

        release.Run();
        if (group.Refusal is not null) return;
        foreach (var member in group.Members) origins.Note(member);
    }

    private void CheckFence()
    {
        if (!selectFenced.Bind(1, node).Read()) return;
        selectFenced.Reset();
        throw new NodeFencedException(node);
    }

    /// <returns>Why this one write was refused; null if it is done or has nothing to do.</returns>
    private StoreException? Execute(StoreWrite write)
    {
        try
        {
            if (write is not SessionWrite owned)
            {
                ExecuteUnowned(write);
                return null;
            }

            var epoch = EpochOf(owned.Lease.Key);
            if (epoch == owned.Lease.Epoch) return TryExecuteOwned(owned) ? null : new SessionFencedException(owned.Lease.Key);
            // The session is gone, and with it all that could be removed.
            if (epoch is null && !owned.CarriesData) return null;
            // A cancelled append is done; one that is not can no longer be cancelled.
            return owned is AppendToQueue append && !append.TryClaim() ? null : new SessionFencedException(owned.Lease.Key);
        }
        catch (SqliteException error) when (!SqliteFaults.IsRefusal(error))
        {
            throw;
        }
        catch (Exception error)
        {
            return error as StoreException ?? new StoreException("The write cannot be stored: " + error.Message, error);
        }
    }

    /// <returns>False if the write met a place of the queue that is taken.</returns>
    private bool TryExecuteOwned(SessionWrite write)
    {
        switch (write)
        {
            case AppendToQueue append: return queue.TryAppend(append);
            case RemoveFromQueue removal: queue.Remove(removal); break;
            case MarkReleased mark: queue.Mark(mark); break;
            case AddReceipt receipt: receipts.Add(receipt); break;
            case RemoveReceipt receipt: receipts.Remove(receipt); break;
            case SaveSession save: sessions.Save(save); break;
            case SaveSubscription save: subscriptions.Save(save); break;
            case RemoveSubscription removal: subscriptions.Remove(removal); break;
            case DeleteSession deletion: Delete(deletion.Lease.Key); break;
            default: throw new NotSupportedException(write.GetType().Name);
        }

        return true;
    }

    private void ExecuteUnowned(StoreWrite write)
    {
        switch (write)
        {
            case SaveRetained save: retained.Save(save); break;
            case RemoveRetained removal: retained.Remove(removal); break;
            case SaveDelayed save: delayed.Save(save); break;
            case NameDelayed naming: delayed.Name(naming); break;
            case RemoveDelayed removal: delayed.Remove(removal); break;
            case SaveWill save: wills.Save(save.Will); break;
            case RemoveWill removal: wills.Remove(removal); break;
            case ForgetOrigins forget: origins.Forget(forget); break;
            case OpenSession open: open.Rows = Open(open); break;
            case SaveRecords save: records.Save(save.Records); break;
            case ForgetRemovedRecords forget: records.ForgetRemoved(forget.UpTo); break;
            case GetOrCreateSetting setting: setting.Value = settings.GetOrCreate(setting.Name, setting.Value); break;
            default: throw new NotSupportedException(write.GetType().Name);
        }
    }

    private SessionRows? Open(OpenSession open)
    {
        if (sessions.Open(open.ClientId) is { } found)
        {
            var key = found.Lease.Key;
            epochs[key] = found.Lease.Epoch;
            return new SessionRows(found.Lease, found.Header, subscriptions.Read(key), queue.Read(key), receipts.Read(key))
            {
                Origins = origins.Read(key),
            };
        }

        if (open.IfNew is null) return null;
        var lease = sessions.Create(open.IfNew);
        epochs[lease.Key] = lease.Epoch;
        return new SessionRows(lease, open.IfNew, [], [], []) { IsNew = true };
    }

    private void Delete(long sessionKey)
    {
        queue.RemoveAll(sessionKey);
        subscriptions.RemoveAll(sessionKey);
        receipts.RemoveAll(sessionKey);
        origins.RemoveAll(sessionKey);
        sessions.Remove(sessionKey);
        epochs[sessionKey] = null;
    }

    private long? EpochOf(long sessionKey)
    {
        if (!epochs.TryGetValue(sessionKey, out var epoch)) epochs[sessionKey] = epoch = sessions.Epoch(sessionKey);
        return epoch;
    }
}
