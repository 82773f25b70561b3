using System.Diagnostics.Metrics;
using Broker.Grains.Interfaces.Metrics;
using Microsoft.Extensions.Hosting;

namespace Broker.Silo;

/// <summary>Shows the process's counters and gauges as meter <see cref="MeterName"/>: `broker.messages.received`, `broker.connections`.</summary>
/// <remarks>Everything is read when it is collected. What counts does not know of it.</remarks>
internal sealed class BrokerMeter(IMeterFactory meters, BrokerGauges gauges) : IHostedService
{
    /// <summary>The meter to listen to.</summary>
    public const string MeterName = MetricNames.MeterName;

    public Task StartAsync(CancellationToken cancellationToken)
    {
        var meter = meters.Create(MeterName);
        foreach (var (name, parts) in MetricNames.All()) meter.CreateObservableCounter($"broker.{name}", () => parts.Sum(BrokerCounters.Read), UnitOf(name));
        foreach (var gauge in Enum.GetValues<Gauge>())
        {
            var name = MetricNames.Of(gauge);
            // Those of all processes can be added: no gauge in OpenTelemetry's sense.
            meter.CreateObservableUpDownCounter($"broker.{name}", () => gauges.Read(gauge), UnitOf(name));
        }

        return Task.CompletedTask;
    }

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    /// <summary>What is counted, as UCUM writes it: the name's first word.</summary>
    private static string UnitOf(string name) => name.Split('.')[0] switch
    {
        "bytes" => "By",
        "delivery" or "retained" => "{message}",
        var things => $"{{{things.TrimEnd('s')}}}",
    };
}
