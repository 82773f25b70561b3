using Broker.Grains.Interfaces.Metrics;
using Microsoft.Extensions.Logging;

namespace Broker.Gateway.Hooks;

/// <summary>What callbacks throw: counted, and logged once in a while for each hook point.</summary>
internal sealed partial class HookFailures(TimeProvider time, ILogger log)
{
    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(10);
    private readonly Dictionary<string, long> logged = [];

    /// <summary>A callback has failed.</summary>
    public void Add(string point, Exception fault)
    {
        BrokerCounters.Add(Metric.HooksFailed);
        lock (logged)
        {
            if (logged.TryGetValue(point, out var last) && time.GetElapsedTime(last) < Pause) return;
            logged[point] = time.GetTimestamp();
        }

        LogFailed(log, fault, point);
    }

    [LoggerMessage(1, LogLevel.Error, "A callback of hook {Point} failed")]
    private static partial void LogFailed(ILogger log, Exception fault, string point);
}
