using Broker.Grains.Cluster;
using Broker.Grains.Interfaces.Records;
using Broker.Grains.Storage;
using Broker.Grains.Storage.Writes;
using Orleans.Concurrency;
using Orleans.GrainDirectory;

namespace Broker.Grains.Records;

/// <inheritdoc cref="IRecordsGrain"/>
/// <remarks>Reentrant, so that followers may wait while it writes; one write at a time. If two activations exist while silos come and go, the store refuses the
/// version that the second to write would give away again, and that one begins anew.</remarks>
[KeepAlive, EvenPlacement, Reentrant, GrainDirectory(GrainDirectoryName = ClusterDirectory.Name)]
internal sealed class RecordsGrain(NodeFences fences, BrokerStore store, TimeProvider time) : Grain, IRecordsGrain
{
    private const int PageSize = 1_000;
    private const int MostRemoved = 100_000;

    /// <summary>Short: a call that waits holds up the silo's end.</summary>
    private static readonly TimeSpan PollTime = TimeSpan.FromSeconds(2);

    /// <summary>Who has not asked for so long is gone.</summary>
    private static readonly TimeSpan FollowerLifetime = TimeSpan.FromSeconds(6);

    private static readonly TimeSpan ExpiryPeriod = TimeSpan.FromSeconds(1);
    private readonly RecordLog log = new(MostRemoved);
    private readonly Dictionary<SiloAddress, Follower> followers = [];
    private Task lastWrite = Task.CompletedTask;
    private TaskCompletionSource changed = NewSignal();
    private TaskCompletionSource acknowledged = NewSignal();

    /// <param name="Calls">That wait here: who has one is there, however long it is since it asked.</param>
    private readonly record struct Follower(long Seen, long AskedAt, int Calls);

    public override async Task OnActivateAsync(CancellationToken cancellationToken)
    {
        await fences.EnsureAsync();
        await foreach (var record in store.LoadRecordsAsync(cancellationToken)) log.Restore(record);
        this.RegisterGrainTimer(static (grain, _) => grain.RemoveExpiredAsync(), this, new GrainTimerCreationOptions(ExpiryPeriod, ExpiryPeriod) { Interleave = true });
    }

    public async Task<RecordOutcome[]> Write(RecordChange[] changes)
    {
        var (outcomes, version) = await StoreAsync(() => changes);
        await WaitForFollowersAsync(version);
        return outcomes;
    }

    public async Task<RecordPage> Follow(SiloAddress follower, RecordPosition seen)
    {
        Note(follower, seen.Version, calls: 1);
        if (seen.HasBegun && seen.Version == log.Last) await Task.WhenAny(changed.Task, Task.Delay(PollTime, time));
        if (followers.ContainsKey(follower)) Note(follower, seen.Version, calls: -1);
        return log.After(seen, PageSize);
    }

    public Task<RecordPage> Read(RecordPosition seen) => Task.FromResult(log.After(seen, PageSize));
    public Task<byte[]?> Find(string table, string key) => Task.FromResult(log.Find(table, key));

    public Task Leave(SiloAddress follower)
    {
        followers.Remove(follower);
        Raise(ref changed); // the others ask again
        Raise(ref acknowledged);
        return Task.CompletedTask;
    }

    private async Task<(RecordOutcome[] Outcomes, long Version)> StoreAsync(Func<RecordChange[]> decide)
    {
        var (before, written) = (lastWrite, NewSignal());
        lastWrite = written.Task;
        await before;
        try
        {
            var records = log.Plan(decide(), out var outcomes);
            if (records.Count == 0) return (outcomes, log.Last);
            if (!await store.WriteAsync(new SaveRecords(records)))
            {
                DeactivateOnIdle(); // it may be that another activation has written
                throw new RecordsUnavailableException("the store has refused the change");
            }

            records.ForEach(log.Apply);
            if (log.ForgetRemoved() is { } upTo) store.Submit(new ForgetRemovedRecords(upTo));
            Raise(ref changed);
            return (outcomes, log.Last);
        }
        finally
        {
            written.SetResult();
        }
    }

    /// <summary>A gateway that does not answer any more is not waited for longer than it takes to count as gone.</summary>
    private async Task WaitForFollowersAsync(long version)
    {
        while (true)
        {
            foreach (var (gone, _) in followers.Where(follower => follower.Value.Calls == 0 && time.GetElapsedTime(follower.Value.AskedAt) > FollowerLifetime).ToArray()) followers.Remove(gone);
            if (followers.Values.All(follower => follower.Seen >= version)) return;
            await Task.WhenAny(acknowledged.Task, Task.Delay(PollTime, time));
        }
    }

    private void Note(SiloAddress follower, long seen, int calls)
    {
        followers[follower] = new Follower(seen, time.GetTimestamp(), followers.GetValueOrDefault(follower).Calls + calls);
        Raise(ref acknowledged);
    }

    private async Task RemoveExpiredAsync()
    {
        if (log.SoonestExpiry > NowMs) return;
        try
        {
            await StoreAsync(() => log.Expired(NowMs, PageSize));
        }
        catch (RecordsUnavailableException)
        {
            // Those who read them look at the time too; the next round tries again.
        }
    }

    private long NowMs => time.GetUtcNow().ToUnixTimeMilliseconds();

    private static void Raise(ref TaskCompletionSource signal)
    {
        var raised = signal;
        signal = NewSignal();
        raised.SetResult();
    }

    private static TaskCompletionSource NewSignal() => new(TaskCreationOptions.RunContinuationsAsynchronously);
}
