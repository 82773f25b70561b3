using Broker.Grains.Cluster;
using Broker.Grains.Interfaces.Messages;
using Broker.Grains.Interfaces.Metrics;
using Broker.Grains.Storage;
using Broker.Grains.Storage.Writes;
using Microsoft.Extensions.Logging;

namespace Broker.Grains.Delayed;

/// <summary>Publishes the messages of one partition when they are due, in the order of their times, and then takes them out of the store.</summary>
/// <remarks>
/// A loop of its own beside the grain, as a link has: calls of the grain do not wait for it. One batch at a time is read, named, published and taken out, each
/// step when the one before is done and stored; so what is published and not yet taken out when the process dies is published again, QoS 2 under the name that
/// was stored before, by which sessions that have had it take it no more.
/// </remarks>
internal sealed partial class DelayedPump(int partition, DelayedServices services, Action<int> removed)
{
    private const int MostAtOnce = 500;
    private const long MostBytesAtOnce = 4 * 1024 * 1024;

    /// <summary>How often what is refused is offered before it is given up: for an hour, outages of the store not counted.</summary>
    private const int MostAttempts = 120;

    /// <summary>The clock may be set, so that nobody sleeps longer.</summary>
    private static readonly TimeSpan LongestSleep = TimeSpan.FromSeconds(1);

    private static readonly TimeSpan FirstPause = TimeSpan.FromMilliseconds(500);
    private static readonly TimeSpan LongestPause = TimeSpan.FromSeconds(30);

    private readonly Lock gate = new();
    private readonly TaskCompletionSource stopped = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource broken = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly long source = Random.Shared.NextInt64();
    private ITimer? timer;
    private Task running = Task.CompletedTask;
    private Task turn = Task.CompletedTask;
    private bool isRunning;
    private long nextDue = long.MaxValue;
    private long notBefore;
    private long lastOrigin;
    private int attempts;

    // Read and not yet published: under the turn.
    private List<StoredDelayed> batch = [];
    private ApplicationMessage[] messages = [];

    private bool IsStopped => stopped.Task.IsCompleted;

    private long NowMs => services.Time.GetUtcNow().ToUnixTimeMilliseconds();

    /// <summary>Completes when nothing can be taken out of the store any more: what is published would be published for ever.</summary>
    public Task Broken => broken.Task;

    /// <summary>A message is stored that is due then. Any thread.</summary>
    public void Wake(long dueAt)
    {
        lock (gate)
        {
            if (dueAt >= nextDue) return;
            nextDue = dueAt;
            if (!isRunning) Arm();
        }
    }

    /// <summary>Takes a message out before its time.</summary>
    /// <returns>False if it is not there.</returns>
    public Task<bool> RemoveAsync(DelayedKey key) => InTurnAsync(async () =>
    {
        if (await services.Store.ReadDelayedAsync(reader => reader.Find(key)) is null) return false;
        Hold(batch.FindAll(one => one.Key != key));
        await TakeOutAsync([key]);
        return true;
    });

    /// <summary>Publishes no more; completes when the batch under way is published and taken out.</summary>
    public async Task StopAsync(CancellationToken cancellation)
    {
        Task last;
        lock (gate)
        {
            stopped.TrySetResult();
            timer?.Dispose();
            last = running;
        }

        try
        {
            await last.WaitAsync(cancellation);
        }
        catch (OperationCanceledException)
        {
            // Who does not answer for so long is dead, or waits for the store.
        }
    }

    /// <summary>Sets the timer for what is due next. Under the lock.</summary>
    private void Arm()
    {
        timer?.Dispose();
        if (IsStopped || nextDue == long.MaxValue) return;
        var wait = Math.Clamp(Math.Max(nextDue, notBefore) - NowMs, 0, (long)LongestSleep.TotalMilliseconds);
        // Whose call or trace it was that made it wait has nothing to do with what it does then.
        using (ExecutionContext.SuppressFlow())
        {
            timer = services.Time.CreateTimer(static pump => ((DelayedPump)pump!).Ring(), this, TimeSpan.FromMilliseconds(wait), Timeout.InfiniteTimeSpan);
        }
    }

    private void Ring()
    {
        lock (gate)
        {
            if (isRunning || IsStopped) return;
            if (Math.Max(nextDue, notBefore) > NowMs)
            {
                Arm();
                return;
            }

            isRunning = true;
            running = Task.Run(RunAsync);
        }
    }

    private async Task RunAsync()
    {
        while (true)
        {
            // What is stored from here on may or may not be seen by this round: it says so itself.
            lock (gate) nextDue = long.MaxValue;
            var next = await TryRoundAsync();
            lock (gate)
            {
                nextDue = Math.Min(nextDue, next);
                if (Math.Max(nextDue, notBefore) <= NowMs && !IsStopped) continue;
                isRunning = false;
                Arm();
                return;
            }
        }
    }

    /// <summary>One at a time: what reads and takes out must not be in each other's way.</summary>
    private async Task<T> InTurnAsync<T>(Func<Task<T>> work)
    {
        TaskCompletionSource mine = new(TaskCreationOptions.RunContinuationsAsynchronously);
        Task before;
        lock (gate) (before, turn) = (turn, mine.Task);
        await before;
        try
        {
            return await work();
        }
        finally
        {
            mine.SetResult();
        }
    }

    /// <returns>When there is something to do again, in Unix milliseconds.</returns>
    private async Task<long> TryRoundAsync()
    {
        try
        {
            return await InTurnAsync(RoundAsync);
        }
        catch (Exception fault) // a host loop: whatever it is, it is tried again
        {
            if (IsStopped) return long.MaxValue;
            if (PassingFault.Is(fault)) LogPutOff(services.Log, partition, fault.Message);
            else LogFailed(services.Log, partition, fault);
            notBefore = NowMs + (long)LongestSleep.TotalMilliseconds;
            return 0;
        }
    }

    private async Task<long> RoundAsync() =>
        batch.Count > 0 || await TryReadAsync() ? await PublishAsync() : await services.Store.ReadDelayedAsync(reader => reader.ReadNext(partition));

    /// <summary>Reads a batch of what is due, and names what must not come twice.</summary>
    /// <returns>False if nothing is due.</returns>
    private async Task<bool> TryReadAsync()
    {
        var now = NowMs;
        var due = await services.Store.ReadDelayedAsync(reader => reader.ReadDue(partition, now, MostAtOnce, MostBytesAtOnce));
        if (due.Count == 0) return false;
        var names = new List<(DelayedKey Key, MessageOrigin Origin)>();
        var expired = new List<DelayedKey>();
        var read = new List<StoredDelayed>(due.Count);
        foreach (var one in due)
        {
            var named = one;
            if (one.Message.IsExpired(now))
            {
                expired.Add(one.Key);
                continue;
            }

            if (one is { Origin: null, Message.Qos: Qos.ExactlyOnce })
            {
                named = one with { Origin = new MessageOrigin(source, ++lastOrigin) };
                names.Add((named.Key, named.Origin));
            }

            read.Add(named);
        }

        BrokerCounters.Add(Metric.MessagesDelayedDropped, expired.Count);
        if (expired.Count > 0) await TakeOutAsync(expired);
        if (names.Count > 0 && !await services.Store.WriteAsync(new NameDelayed(names))) throw new StoreUnavailableException("The store takes nothing new.");
        Hold(read);
        attempts = 0;
        return true;
    }

    /// <returns>When there is something to do again, in Unix milliseconds.</returns>
    private async Task<long> PublishAsync()
    {
        // Who has a message and may not be asked for it again could not be stored.
        if (services.Store.Health == StoreHealth.Failing) throw new StoreUnavailableException("The store fails.");
        var codes = messages.Length == 0 ? [] : await services.Publisher.PublishAsync(messages);
        var (done, refused) = (new List<DelayedKey>(), new List<StoredDelayed>());
        var isLast = ++attempts == MostAttempts;
        for (var i = 0; i < codes.Length; i++)
        {
            if (codes[i] >= ReasonCode.UnspecifiedError && !isLast)
            {
                refused.Add(batch[i]);
                continue;
            }

            if (codes[i] >= ReasonCode.UnspecifiedError) GiveUp(batch[i], codes[i]);
            done.Add(batch[i].Key);
        }

        Hold(refused);
        if (refused.Count > 0) notBefore = NowMs + (long)Math.Min(FirstPause.TotalMilliseconds * (1L << attempts), LongestPause.TotalMilliseconds);
        if (done.Count > 0) await TakeOutAsync(done);
        return 0;
    }

    private void Hold(List<StoredDelayed> next)
    {
        if (next.Count == batch.Count && next.Count > 0 && ReferenceEquals(next[0], batch[0])) return;
        batch = next;
        messages = [.. next.Select(one => one.Origin is null ? one.Message : one.Message.From(one.Origin))];
    }

    private void GiveUp(StoredDelayed one, ReasonCode code)
    {
        BrokerCounters.Add(Metric.MessagesDelayedDropped);
        LogGivenUp(services.Log, one.Key.ToString(), code);
    }

    /// <summary>Waits for as long as an outage lasts: before it is stored that they are gone nothing is read again.</summary>
    private async Task TakeOutAsync(List<DelayedKey> keys)
    {
        var outcome = new WriteOutcome();
        services.Store.Submit(new RemoveDelayed(keys) { Observer = outcome });
        await Task.WhenAny(outcome.Completion, stopped.Task);
        if (!outcome.Completion.IsCompleted) throw new StoreUnavailableException("The partition leaves this process.");
        if (!await outcome.Completion)
        {
            stopped.TrySetResult();
            broken.TrySetResult();
            throw new StoreUnavailableException("What was published cannot be taken out.");
        }

        removed(keys.Count);
    }

    [LoggerMessage(1, LogLevel.Information, "Delayed messages of partition {Partition} have to wait: {Reason}")]
    private static partial void LogPutOff(ILogger log, int partition, string reason);

    [LoggerMessage(2, LogLevel.Error, "Delayed messages of partition {Partition} cannot be published")]
    private static partial void LogFailed(ILogger log, int partition, Exception fault);

    [LoggerMessage(3, LogLevel.Warning, "Delayed message {Id} is given up: it was refused again and again ({Code})")]
    private static partial void LogGivenUp(ILogger log, string id, ReasonCode code);
}
