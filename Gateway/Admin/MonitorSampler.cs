using Broker.Gateway.Admin.Resources;
using Broker.Grains.Interfaces.Nodes;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace Broker.Gateway.Admin;

/// <summary>Keeps the <see cref="MonitorRing"/> up to date.</summary>
internal sealed class MonitorSampler(MonitorRing ring, TimeProvider time) : BackgroundService
{
    private static readonly TimeSpan Period = TimeSpan.FromSeconds(5);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(Period, time);
        try
        {
            do ring.Take();
            while (await timer.WaitForNextTickAsync(stoppingToken));
        }
        catch (OperationCanceledException)
        {
            // The process stops.
        }
    }
}

/// <summary>Composes what EMQ X Enterprise's dashboard draws.</summary>
internal static class MonitorComposition
{
    public static void AddMonitor(this IHostApplicationBuilder builder)
    {
        builder.Services.AddSingleton<MonitorRing>().AddHostedService<MonitorSampler>();
        builder.Services.AddSingleton<INodeResource, LocalMonitor>().AddSingleton<IApiResource, MonitorResource>();
    }
}
