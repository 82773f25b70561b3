using System.Globalization;
using Broker.Gateway.Links;
using Broker.Grains.Interfaces.Metrics;
using DotNetty.Common.Concurrency;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Broker.Gateway.Hosting;

/// <summary>Looks after this process every two seconds, and tells in its log and below `$SYS/brokers/…/sysmon/` what stands in the way of its work: `long_gc`, `long_schedule`, `busy_dist_port`.</summary>
/// <remarks>So each complaint comes at most every two seconds from each source. A loop is asked to answer; what held it up in between is not seen.</remarks>
internal sealed partial class SystemMonitor(GatewayLoops loops, SysPublisher publisher, IOptions<SystemMonitorOptions> options, TimeProvider time, ILogger<SystemMonitor> log) : BackgroundService
{
    private static readonly TimeSpan Period = TimeSpan.FromSeconds(2);
    private static readonly GCKind[] Kinds = [GCKind.Ephemeral, GCKind.FullBlocking, GCKind.Background];

    private readonly bool[] asked = new bool[loops.All.Count];
    private readonly long[] collections = new long[Kinds.Length];
    private long refused;

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        foreach (var (at, kind) in Kinds.Index()) collections[at] = GC.GetGCMemoryInfo(kind).Index;
        refused = BrokerCounters.Read(Metric.MessagesDroppedLinkFull);
        using var timer = new PeriodicTimer(Period, time);
        try
        {
            while (await timer.WaitForNextTickAsync(stoppingToken)) Look();
        }
        catch (OperationCanceledException)
        {
            // The broker stops.
        }
    }

    private void Look()
    {
        if (options.Value.LongGc > TimeSpan.Zero) LookAtCollections();
        if (options.Value.LongSchedule > TimeSpan.Zero) foreach (var loop in loops.All) Ask(loop);
        var total = BrokerCounters.Read(Metric.MessagesDroppedLinkFull);
        if (options.Value.BusyDistPort && total > refused) Complain("busy_dist_port", string.Create(CultureInfo.InvariantCulture, $"{total - refused} messages found a link to another process full"));
        refused = total;
    }

    private void LookAtCollections()
    {
        foreach (var (at, kind) in Kinds.Index())
        {
            var last = GC.GetGCMemoryInfo(kind);
            if (last.Index == collections[at]) continue;
            collections[at] = last.Index;
            var pause = TimeSpan.Zero;
            foreach (var one in last.PauseDurations) pause = one > pause ? one : pause;
            if (pause >= options.Value.LongGc) Complain("long_gc", string.Create(CultureInfo.InvariantCulture, $"collection {last.Index} of generation {last.Generation} stopped all threads for {pause.TotalMilliseconds:F1} ms"));
        }
    }

    private void Ask(LoopContext loop)
    {
        if (asked[loop.Index]) return; // it has not answered yet, and is complained of when it does
        asked[loop.Index] = true;
        var at = time.GetTimestamp();
        try
        {
            loop.Loop.Execute(() =>
            {
                asked[loop.Index] = false;
                var waited = time.GetElapsedTime(at);
                if (waited >= options.Value.LongSchedule) Complain("long_schedule", string.Create(CultureInfo.InvariantCulture, $"event loop {loop.Index} let work wait for {waited.TotalMilliseconds:F1} ms"));
            });
        }
        catch (RejectedExecutionException)
        {
            // The broker stops.
        }
    }

    private void Complain(string what, string text)
    {
        LogComplaint(log, what, text);
        publisher.PublishSoon("sysmon/" + what, text);
    }

    [LoggerMessage(1, LogLevel.Warning, "{What}: {Text}")]
    private static partial void LogComplaint(ILogger log, string what, string text);
}
