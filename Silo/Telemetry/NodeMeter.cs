using System.Diagnostics.Metrics;
using Broker.Grains.Interfaces.Cluster;
using Broker.Grains.Interfaces.Metrics;
using Microsoft.Extensions.Hosting;

namespace Broker.Silo.Telemetry;

/// <summary>Shows whether this process is ready, and how many members of its cluster it sees: gauges of meter <see cref="MetricNames.MeterName"/>, read when collected.</summary>
internal sealed class NodeMeter(IMeterFactory meters, IEnumerable<IReadiness> checks, ISiloStatusOracle silos) : IHostedService
{
    public Task StartAsync(CancellationToken cancellationToken)
    {
        var meter = meters.Create(MetricNames.MeterName);
        IReadiness[] all = [.. checks];
        meter.CreateObservableGauge("broker.node.ready", () => all.Select(ReadinessOf), null, "1 if the check named by the tag finds nothing to complain of: readiness is all of them.");
        meter.CreateObservableGauge("broker.cluster.members", () => silos.GetApproximateSiloStatuses(onlyActive: true).Count, "{node}", "Members that this process takes for alive, itself among them.");
        return Task.CompletedTask;
    }

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    private static Measurement<int> ReadinessOf(IReadiness check) => new(check.Fault is null ? 1 : 0, new KeyValuePair<string, object?>("check", check.Name));
}
