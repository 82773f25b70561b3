using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Broker.Gateway.Configuration;

/// <summary>What this process has made of the cluster's settings.</summary>
/// <param name="Version">Of the document it has followed last.</param>
/// <param name="Faults">What of it could not be done here.</param>
internal sealed record AppliedSettings(long Version, string[] Faults);

/// <summary>Makes this process follow the cluster's settings. What could not be done here is tried again: a file may come, a port be freed.</summary>
internal sealed partial class SettingApplier(SettingTable table, LiveConfiguration configuration, IEnumerable<ISettingTarget> targets, TimeProvider time, ILogger<SettingApplier> log) : BackgroundService
{
    private static readonly TimeSpan RetryPause = TimeSpan.FromSeconds(10);
    private readonly ISettingTarget[] targets = [.. targets];
    private readonly SemaphoreSlim updated = new(0);

    /// <summary>Where it stands.</summary>
    public AppliedSettings Applied { get; private set; } = new(0, []);

    /// <inheritdoc/>
    /// <remarks>Before anything listens. Where nothing was ever set there is nothing to follow: what is wrong with the start's own is said by whoever uses it.</remarks>
    public override async Task StartAsync(CancellationToken cancellationToken)
    {
        table.Updated += OnUpdated;
        if (table.Current.Version > 0) await ApplyAsync();
        await base.StartAsync(cancellationToken);
    }

    public override void Dispose()
    {
        table.Updated -= OnUpdated;
        updated.Dispose();
        base.Dispose();
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        try
        {
            while (true)
            {
                using var patience = CancellationTokenSource.CreateLinkedTokenSource(stoppingToken);
                var news = updated.WaitAsync(patience.Token);
                if (Applied.Faults.Length == 0) await news;
                else await Task.WhenAny(news, Task.Delay(RetryPause, time, patience.Token));
                await patience.CancelAsync();
                stoppingToken.ThrowIfCancellationRequested();
                await ApplyAsync();
            }
        }
        catch (OperationCanceledException)
        {
            // The process stops.
        }
    }

    /// <summary>Does what could not be done yet.</summary>
    public void ApplyAgain() => updated.Release();

    private void OnUpdated() => updated.Release();

    private async Task ApplyAsync()
    {
        var (document, version) = table.Current;
        var merged = configuration.With(document);
        var faults = new List<string>();
        foreach (var target in targets)
        {
            try
            {
                faults.AddRange(await target.ApplyAsync(merged));
            }
            catch (Exception fault) // whatever a part says: the others follow all the same
            {
                faults.Add(fault.Message);
            }
        }

        var isNews = version != Applied.Version || !faults.SequenceEqual(Applied.Faults);
        Applied = new AppliedSettings(version, [.. faults]);
        if (!isNews) return;
        foreach (var fault in faults) LogFault(log, version, fault);
        if (faults.Count == 0) LogApplied(log, version);
    }

    [LoggerMessage(1, LogLevel.Information, "The cluster's settings of version {Version} hold here")]
    private static partial void LogApplied(ILogger log, long version);

    [LoggerMessage(2, LogLevel.Warning, "Of the cluster's settings of version {Version} this could not be done here, and is tried again: {Fault}")]
    private static partial void LogFault(ILogger log, long version, string fault);
}
