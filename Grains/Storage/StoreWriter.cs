using Broker.Grains.Storage.Writes;
using Microsoft.Extensions.Logging;

namespace Broker.Grains.Storage;

/// <summary>Group commit: one thread that writes, in one transaction, all that was submitted while the last one ran.</summary>
internal sealed partial class StoreWriter
{
    private readonly IStoreDatabase database;
    private readonly StoreOptions options;
    private readonly StoreInstruments instruments;
    private readonly TimeProvider clock;
    private readonly ILogger logger;
    private readonly WriteQueue queue;
    private readonly BatchCoalescer coalescer = new();
    private readonly List<StoreWrite> batch = [];
    private readonly List<StoreWrite> kept = [];
    private readonly List<StoreWrite> inDoubt = [];
    private readonly TaskCompletionSource opened = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private bool isStarted;
    private volatile StoreHealth health;

    public StoreWriter(IStoreDatabase database, StoreOptions options, StoreInstruments instruments, TimeProvider clock, ILogger logger)
    {
        (this.database, this.options, this.instruments, this.clock, this.logger) = (database, options, instruments, clock, logger);
        queue = new WriteQueue(options);
        instruments.ObservePending(() => queue.Pending);
    }

    /// <summary>Called on the writer thread when the store begins or ceases to fail. Must be short.</summary>
    public event Action<StoreHealth>? HealthChanged;

    /// <summary>Whether new data is taken.</summary>
    public StoreHealth Health => health;

    /// <summary>What waits.</summary>
    public WriteQueue Queue => queue;

    /// <summary>Opens the database on the writer thread and begins to write.</summary>
    public Task StartAsync()
    {
        isStarted = true;
        new Thread(Run) { IsBackground = true, Name = "store writer" }.Start();
        return opened.Task;
    }

    /// <summary>Takes a write in, or fails it at once on this thread.</summary>
    public void Submit(StoreWrite write)
    {
        if (queue.TryAdd(write) is { } refusal) Fail(write, refusal);
    }

    /// <summary>Writes what was submitted, then closes the database.</summary>
    public Task StopAsync()
    {
        queue.Close();
        return isStarted ? ended.Task : Task.CompletedTask;
    }

    private void Run()
    {
        try
        {
            database.Open();
            opened.SetResult();
        }
        catch (Exception error)
        {
            queue.Close();
            opened.SetException(error);
            queue.Drain(kept);
            FailAll(kept, new StoreUnavailableException("The store did not start.", error));
            CloseDatabase();
            return;
        }

        while (queue.Take(batch))
        {
            if (!TryCommit(batch, out var reason))
            {
                if (reason is NodeFencedException) GiveUp(reason);
                else SitOut((StoreUnavailableException)reason);
            }

            batch.Clear();
        }

        CloseDatabase();
    }

    private bool TryCommit(List<StoreWrite> writes, out StoreException reason)
    {
        var cancelled = coalescer.Cancel(writes);
        var started = clock.GetTimestamp();
        try
        {
            database.Commit(writes);
        }
        catch (Exception error)
        {
            reason = error is StoreUnavailableException or NodeFencedException
                ? (StoreException)error
                : new StoreUnavailableException("The store failed: " + error.Message, error);
            return false;
        }

        Report(writes, clock.GetElapsedTime(started), cancelled);
        reason = null!;
        return true;
    }

    private void Report(List<StoreWrite> writes, TimeSpan duration, int cancelled)
    {
        var committed = 0;
        queue.Release(writes);
        foreach (var write in writes)
        {
            if (write.Refusal is { } refusal)
            {
                Fail(write, refusal);
                continue;
            }

            committed += write.Count;
            try
            {
                write.Committed();
            }
            catch (Exception error)
            {
                LogObserverFailed(error);
            }
        }

        instruments.BatchCommitted(committed, duration);
        if (cancelled > 0) instruments.WritesCancelled(cancelled);
    }

    /// <summary>A fenced node takes nothing any more, removals included.</summary>
    private void GiveUp(StoreException reason)
    {
        LogFenced(reason);
        queue.RefuseAll(reason);
        ChangeHealth(StoreHealth.Failing);
        kept.AddRange(inDoubt);
        kept.AddRange(batch);
        inDoubt.Clear();
        queue.Drain(kept);
        FailAll(kept, reason);
    }

    /// <summary>An outage: fails new data, keeps removals, probes with back-off until all that was kept is written.
    /// A batch in doubt is kept whole: its data may be stored, so that it must not be reported as failed.</summary>
    private void SitOut(StoreUnavailableException reason)
    {
        LogFailing(reason);
        queue.RefuseData(reason);
        ChangeHealth(StoreHealth.Failing);
        (reason.IsInDoubt ? inDoubt : kept).AddRange(batch);
        batch.Clear();
        queue.Drain(kept);
        FailKeptData(reason);
        var delay = options.FirstProbeDelay;
        while (true)
        {
            queue.Pause(delay, clock);
            if (TryRecover(out var stillFailing)) break;
            if (stillFailing is NodeFencedException)
            {
                GiveUp(stillFailing);
                return;
            }

            if (queue.IsClosed)
            {
                kept.InsertRange(0, inDoubt);
                inDoubt.Clear();
                queue.Drain(kept);
                FailAll(kept, stillFailing);
                return;
            }

            delay = delay * 2 < options.MaxProbeDelay ? delay * 2 : options.MaxProbeDelay;
        }

        LogRecovered();
        queue.RefuseData(null);
        ChangeHealth(StoreHealth.Healthy);
    }

    /// <summary>Writes what was kept, which may itself make room, then probes whether there is room for new data.</summary>
    private bool TryRecover(out StoreException reason)
    {
        queue.Drain(kept);
        if (inDoubt.Count > 0 && !TryCommit(inDoubt, out reason)) return false;
        inDoubt.Clear();
        while (kept.Count > 0)
        {
            var some = kept.GetRange(0, Math.Min(kept.Count, options.MaxBatchWrites));
            if (!TryCommit(some, out reason))
            {
                if (reason is not StoreUnavailableException { IsInDoubt: true }) return false;
                inDoubt.AddRange(some);
                kept.RemoveRange(0, some.Count);
                return false;
            }

            kept.RemoveRange(0, some.Count);
        }

        try
        {
            database.Probe();
            reason = null!;
            return true;
        }
        catch (Exception error)
        {
            reason = error as StoreException ?? new StoreUnavailableException("The store failed: " + error.Message, error);
            return false;
        }
    }

    private void FailKeptData(StoreException reason)
    {
        var data = kept.FindAll(static write => write.CarriesData);
        kept.RemoveAll(static write => write.CarriesData);
        FailAll(data, reason);
    }

    private void FailAll(List<StoreWrite> writes, StoreException reason)
    {
        queue.Release(writes);
        foreach (var write in writes) Fail(write, reason);
        writes.Clear();
    }

    private void Fail(StoreWrite write, StoreException reason)
    {
        instruments.WritesFailed(write.Count, reason);
        try
        {
            write.Failed(reason);
        }
        catch (Exception error)
        {
            LogObserverFailed(error);
        }
    }

    private void ChangeHealth(StoreHealth next)
    {
        health = next;
        try
        {
            HealthChanged?.Invoke(next);
        }
        catch (Exception error)
        {
            LogObserverFailed(error);
        }
    }

    private void CloseDatabase()
    {
        try
        {
            database.Dispose();
        }
        catch (Exception error)
        {
            LogCloseFailed(error);
        }

        ended.SetResult();
    }
}
