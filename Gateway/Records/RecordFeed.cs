using System.Text;
using Broker.Grains.Interfaces.Records;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Broker.Gateway.Records;

/// <summary>Follows the cluster's records and keeps this process's tables up to date. Nothing listens before they are complete.</summary>
internal sealed partial class RecordFeed(IGrainFactory grains, ILocalSiloDetails self, IEnumerable<RecordTable> tables, TimeProvider time, ILogger<RecordFeed> log)
    : BackgroundService
{
    /// <summary>The longest key in bytes that all stores take.</summary>
    public const int LongestKey = 65_535;

    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(500);
    private readonly Dictionary<string, RecordTable> tables = tables.ToDictionary(table => table.Name, StringComparer.Ordinal);
    private readonly TaskCompletionSource complete = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private RecordPosition position;
    private bool isFollowing = true;

    private IRecordsGrain Owner => grains.GetGrain<IRecordsGrain>(0);

    /// <summary>Changes records, here and everywhere: when it ends, every process that can be reached has them.</summary>
    /// <exception cref="KeyTooLongException">Nothing was changed.</exception>
    /// <exception cref="RecordsUnavailableException">Nothing was changed.</exception>
    /// <exception cref="Exception">Of Orleans: it is not known whether it was done.</exception>
    public Task<RecordOutcome[]> WriteAsync(params RecordChange[] changes) =>
        Array.Exists(changes, change => Encoding.UTF8.GetByteCount(change.Key) > LongestKey) ? throw new KeyTooLongException() : Owner.Write(changes);

    /// <inheritdoc/>
    public override async Task StartAsync(CancellationToken cancellationToken)
    {
        await base.StartAsync(cancellationToken);
        await complete.Task.WaitAsync(cancellationToken);
    }

    /// <inheritdoc/>
    public override async Task StopAsync(CancellationToken cancellationToken)
    {
        await base.StopAsync(cancellationToken);
        if (position.HasBegun) LeaveAsync().Ignore(); // so that nobody waits for this process, and its last call is answered
    }

    private async Task LeaveAsync() => await Owner.Leave(self.SiloAddress);

    /// <inheritdoc/>
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        while (!stoppingToken.IsCancellationRequested)
        {
            try
            {
                var following = Owner.Follow(self.SiloAddress, position);
                following.Ignore();
                Take(await following.WaitAsync(stoppingToken));
            }
            catch (Exception fault) // a host loop: whatever it was, the next round asks again
            {
                if (stoppingToken.IsCancellationRequested) return;
                if (!complete.Task.IsCompleted) LogNotReady(log, fault.Message);
                else if (isFollowing) LogLost(log, fault.Message);
                isFollowing = false;
                await Task.Delay(Pause, time, stoppingToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
        }
    }

    private void Take(RecordPage page)
    {
        if (!isFollowing && complete.Task.IsCompleted) LogFound(log);
        isFollowing = true;
        if (page.IsRestart || !position.HasBegun)
        {
            foreach (var table in tables.Values) table.BeginAll();
        }

        foreach (var record in page.Records)
        {
            if (!tables.TryGetValue(record.Table, out var table)) continue; // a newer program's
            try
            {
                table.Take(record);
            }
            catch (Exception fault) // whatever a record does to its table: the others must go on
            {
                LogUnreadable(log, record.Table, record.Key, fault.Message);
            }
        }

        position = page.Next;
        if (!page.IsLast) return;
        foreach (var table in tables.Values) table.EndAll();
        complete.TrySetResult();
    }

    [LoggerMessage(1, LogLevel.Warning, "Users, rules and bans stay as they are: changes cannot be followed now ({Reason})")]
    private static partial void LogLost(ILogger log, string reason);

    [LoggerMessage(2, LogLevel.Information, "Changes of users, rules and bans are followed again")]
    private static partial void LogFound(ILogger log);

    [LoggerMessage(4, LogLevel.Warning, "Not ready: {Reason}")]
    private static partial void LogNotReady(ILogger log, string reason);

    [LoggerMessage(3, LogLevel.Error, "A record of table {Table} is left out, {Key}: {Reason}")]
    private static partial void LogUnreadable(ILogger log, string table, string key, string reason);
}
