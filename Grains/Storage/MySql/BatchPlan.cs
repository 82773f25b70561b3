using Broker.Grains.Interfaces.Messages;
using Broker.Grains.Interfaces.Records;
using Broker.Grains.Storage.Writes;

namespace Broker.Grains.Storage.MySql;

/// <summary>What a part of a batch comes to: decided in memory, write by write in order, so that few statements then do it for all at once. Writer thread.</summary>
/// <remarks>Only openings read, and they read at the end of the part: what comes after one for the same session must wait for the next part.
/// Of several writes to the same row the last one counts.</remarks>
internal sealed class BatchPlan(BatchState state)
{
    private readonly Dictionary<long, long?> epochs = [];
    private readonly HashSet<string> clients = new(StringComparer.Ordinal);
    private readonly HashSet<long> openedKeys = [];

    public List<AppendToQueue> Appends { get; } = [];

    public List<(long, long)> Removals { get; } = [];

    public List<(long, long)> Released { get; } = [];

    /// <summary>Shared bodies that may have lost their last entry.</summary>
    public HashSet<long> LooseBodies { get; } = [];

    public Dictionary<long, SaveSession> Sessions { get; } = [];

    public HashSet<long> DeletedSessions { get; } = [];

    public Dictionary<(long Key, string Filter), SessionSubscription?> Subscriptions { get; } = [];

    public Dictionary<(long Key, long PacketIdentifier), long?> Receipts { get; } = [];

    public Dictionary<(long Key, long Source, int Shard), long> Origins { get; } = [];

    public Dictionary<string, SaveRetained?> Retained { get; } = new(StringComparer.Ordinal);

    public Dictionary<(string ClientId, long ConnectionNumber), StoredWill?> Wills { get; } = [];

    public List<SaveDelayed> Delayed { get; } = [];

    public List<(DelayedKey Key, MessageOrigin Origin)> DelayedNames { get; } = [];

    public List<DelayedKey> DelayedRemovals { get; } = [];

    /// <summary>Openings, with the key of the session if it is there.</summary>
    public List<(OpenSession Open, long? Key)> Opens { get; } = [];

    public List<GetOrCreateSetting> Settings { get; } = [];

    public List<IReadOnlyList<Record>> Records { get; } = [];

    public long? ForgetRecordsUpTo { get; private set; }

    /// <summary>Origin marks not touched since are to go; null for none.</summary>
    public long? ForgetBefore { get; private set; }

    /// <summary>True for what belongs to no session that this part deletes.</summary>
    public bool Stays(long sessionKey) => !DeletedSessions.Contains(sessionKey);

    /// <summary>Takes a write in; one that is refused is marked and changes nothing.</summary>
    /// <returns>False if it must wait for the next part.</returns>
    public bool TryAdd(StoreWrite write)
    {
        if (write is WriteGroup group)
        {
            if (Array.Exists(group.Members, MustWait)) return false;
            group.Refusal = Check(group.Members);
            if (group.Refusal is null) Array.ForEach(group.Members, Record);
            return true;
        }

        if (MustWait(write)) return false;
        write.Refusal = Check(write);
        if (write.Refusal is null) Record(write);
        return true;
    }

    /// <summary>The part is done: what it changed is what the next one finds.</summary>
    public void Apply()
    {
        foreach (var (key, epoch) in epochs)
        {
            if (epoch is { } number) state.Epochs[key] = number;
            else state.Epochs.Remove(key);
        }

        foreach (var (open, key) in Opens)
        {
            if (open.Rows is null)
            {
                if (key is null) state.Clients.Remove(open.ClientId);
                continue;
            }

            state.Clients[open.ClientId] = open.Rows.Lease.Key;
            if (key is null) state.Epochs[open.Rows.Lease.Key] = open.Rows.Lease.Epoch;
        }
    }

    private bool MustWait(StoreWrite write) => write switch
    {
        SessionWrite owned => openedKeys.Contains(owned.Lease.Key),
        OpenSession open => clients.Contains(open.ClientId),
        _ => false,
    };

    private long? EpochOf(long key) => epochs.TryGetValue(key, out var changed) ? changed : state.Epochs.TryGetValue(key, out var found) ? found : null;

    /// <returns>Why the group is refused, decided as if its members were executed one after the other.</returns>
    private StoreException? Check(StoreWrite[] members)
    {
        StoreException? refusal = null;
        List<(long Key, long? Epoch)> deleted = [];
        foreach (var member in members)
        {
            refusal = Check(member);
            if (refusal is not null) break;
            if (member is not DeleteSession deletion || EpochOf(deletion.Lease.Key) is not { } epoch) continue;
            deleted.Add((deletion.Lease.Key, epoch));
            epochs[deletion.Lease.Key] = null;
        }

        foreach (var (key, epoch) in deleted) epochs[key] = epoch;
        return refusal;
    }

    private SessionFencedException? Check(StoreWrite write)
    {
        if (write is not SessionWrite owned) return null;
        var epoch = EpochOf(owned.Lease.Key);
        if (epoch == owned.Lease.Epoch) return null;
        // The session is gone, and with it all that could be removed.
        if (epoch is null && !owned.CarriesData) return null;
        return owned is AppendToQueue { IsCancelled: true } ? null : new SessionFencedException(owned.Lease.Key);
    }

    private void Record(StoreWrite write)
    {
        if (write is SessionWrite owned)
        {
            if (EpochOf(owned.Lease.Key) == owned.Lease.Epoch) RecordOwned(owned, owned.Lease.Key);
            return;
        }

        switch (write)
        {
            case SaveRetained save: Retained[save.Message.Topic.Text] = save; break;
            case RemoveRetained removal: Retained[removal.Topic.Text] = null; break;
            case SaveDelayed save: RecordDelayed(save); break;
            case NameDelayed naming: DelayedNames.AddRange(naming.Names); break;
            case RemoveDelayed removal: DelayedRemovals.AddRange(removal.Keys); break;
            case SaveWill save: Wills[(save.Will.ClientId, save.Will.ConnectionNumber)] = save.Will; break;
            case RemoveWill removal: Wills[(removal.ClientId, removal.ConnectionNumber)] = null; break;
            case ForgetOrigins forget: ForgetBefore = Math.Max(ForgetBefore ?? 0, forget.BeforeMs); break;
            case SaveRecords save: Records.Add(save.Records); break;
            case ForgetRemovedRecords forget: ForgetRecordsUpTo = Math.Max(ForgetRecordsUpTo ?? 0, forget.UpTo); break;
            case GetOrCreateSetting setting: Settings.Add(setting); break;
            case OpenSession open: RecordOpen(open); break;
            default: throw new NotSupportedException(write.GetType().Name);
        }
    }

    private void RecordOwned(SessionWrite write, long key)
    {
        switch (write)
        {
            case AppendToQueue append:
                RecordAppend(append, key);
                break;
            case RemoveFromQueue { IsMoot: false } removal:
                Removals.Add((key, removal.Sequence));
                if (removal.Shared is { Id: not 0 } shared) LooseBodies.Add(shared.Id);
                break;
            case RemoveFromQueue: break;
            case MarkReleased mark: Released.Add((key, mark.Sequence)); break;
            case AddReceipt receipt: Receipts[(key, receipt.PacketIdentifier)] = receipt.Number; break;
            case RemoveReceipt receipt: Receipts[(key, receipt.PacketIdentifier)] = null; break;
            case SaveSession save: Sessions[key] = save; break;
            case SaveSubscription save: Subscriptions[(key, save.Subscription.Filter)] = save.Subscription; break;
            case RemoveSubscription removal: Subscriptions[(key, removal.Filter)] = null; break;
            case DeleteSession:
                DeletedSessions.Add(key);
                epochs[key] = null;
                break;
            default: throw new NotSupportedException(write.GetType().Name);
        }
    }

    private void RecordAppend(AppendToQueue append, long key)
    {
        if (append.OriginMark is { } mark) RecordOrigin(key, mark);
        if (!append.IsCancelled) Appends.Add(append);
    }

    private void RecordDelayed(SaveDelayed save)
    {
        if (save.OriginMark is { } mark) RecordOrigin(DelayedKey.OriginOwner(save.Key.Partition), mark);
        Delayed.Add(save);
    }

    private void RecordOrigin(long owner, OriginMark mark)
    {
        var place = (owner, mark.Source, mark.Shard);
        Origins[place] = Origins.TryGetValue(place, out var number) ? Math.Max(number, mark.Number) : mark.Number;
    }

    private void RecordOpen(OpenSession open)
    {
        clients.Add(open.ClientId);
        // It may have been deleted in this very part: then it is a new one.
        if (!state.Clients.TryGetValue(open.ClientId, out var key) || EpochOf(key) is not { } epoch)
        {
            Opens.Add((open, null));
            return;
        }

        openedKeys.Add(key);
        epochs[key] = epoch + 1;
        Opens.Add((open, key));
    }
}
