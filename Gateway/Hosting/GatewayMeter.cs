using System.Diagnostics.Metrics;
using Broker.Gateway.Transport;
using Broker.Grains.Interfaces.Metrics;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Options;

namespace Broker.Gateway.Hosting;

/// <summary>Shows how many connections this process would take: a gauge of meter <see cref="MetricNames.MeterName"/>.</summary>
internal sealed class GatewayMeter(IMeterFactory meters, IOptions<GatewayOptions> options) : IHostedService
{
    public Task StartAsync(CancellationToken cancellationToken)
    {
        var limit = Math.Min(options.Value.MaxConnections, DescriptorLimit.MostConnections());
        meters.Create(MetricNames.MeterName)
            .CreateObservableUpDownCounter("broker.connections.limit", () => limit, "{connection}", "Connections for which there are file descriptors, at most Gateway:MaxConnections.");
        return Task.CompletedTask;
    }

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
}
