using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Broker.Gateway.Alarms;

/// <summary>Looks at something again and again, and says in the book whether it is right.</summary>
internal interface IAlarmCheck
{
    /// <summary>How often.</summary>
    TimeSpan Period { get; }

    /// <summary>Looks once.</summary>
    Task LookAsync();
}

/// <summary>Makes the checks look.</summary>
internal sealed partial class AlarmMonitor(IEnumerable<IAlarmCheck> checks, TimeProvider time, ILogger<AlarmMonitor> log) : BackgroundService
{
    protected override Task ExecuteAsync(CancellationToken stoppingToken) => Task.WhenAll(checks.Select(check => RunAsync(check, stoppingToken)));

    private async Task RunAsync(IAlarmCheck check, CancellationToken stopping)
    {
        using var timer = new PeriodicTimer(check.Period, time);
        var hasFailed = false;
        try
        {
            while (await timer.WaitForNextTickAsync(stopping))
            {
                try
                {
                    await check.LookAsync();
                    hasFailed = false;
                }
                catch (Exception fault) when (!stopping.IsCancellationRequested) // a host loop: the next look may succeed
                {
                    if (!hasFailed) LogFailed(log, check.GetType().Name, fault.Message);
                    hasFailed = true;
                }
            }
        }
        catch (OperationCanceledException)
        {
            // The process stops.
        }
    }

    [LoggerMessage(1, LogLevel.Warning, "{Check} cannot be done: {Reason}")]
    private static partial void LogFailed(ILogger log, string check, string reason);
}
