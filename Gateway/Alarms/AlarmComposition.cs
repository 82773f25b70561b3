using Broker.Gateway.Admin;
using Broker.Gateway.Admin.Resources;
using Broker.Gateway.ExHook;
using Broker.Gateway.Hosting;
using Broker.Gateway.Mqtt;
using Broker.Gateway.Security.Sources;
using Broker.Gateway.Transport;
using Broker.Grains.Interfaces.Cluster;
using Broker.Grains.Interfaces.Nodes;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Options;

namespace Broker.Gateway.Alarms;

/// <summary>Composes alarms: the book, what is done about them, and what is watched.</summary>
internal static class AlarmComposition
{
    public static void AddAlarms(this IHostApplicationBuilder builder)
    {
        builder.AddCheckedOptions<AlarmOptions>(AlarmOptions.Section);
        var services = builder.Services;
        services.AddSingleton<AlarmActions>();
        services.AddSingleton(provider =>
        {
            var book = new AlarmBook(provider.GetRequiredService<IOptions<AlarmOptions>>(), provider.GetRequiredService<TimeProvider>());
            provider.GetRequiredService<AlarmActions>().Follow(book);
            return book;
        });
        services.AddHostedService<AlarmFile>();
        services.AddSingleton<IApiResource, AlarmResource>().AddSingleton<INodeResource, LocalAlarms>();
        services.TryAddSingleton<IVitals, MachineVitals>(); // a test brings its own
        AddMachine(services);
        AddBroker(builder);
        services.AddHostedService<AlarmMonitor>();
    }

    private static void AddMachine(IServiceCollection services)
    {
        services.AddWatermark(
            options => options.CpuCheckInterval,
            options => new Watermark("high_cpu_usage", options.CpuHighWatermark, options.CpuLowWatermark, usage => Text($"{usage:F2}% cpu usage")),
            provider => provider.GetRequiredService<IVitals>().ReadCpu);
        services.AddWatermark(
            options => options.MemoryCheckInterval,
            options => new Watermark("high_system_memory_usage", options.SystemMemoryHighWatermark, options.SystemMemoryHighWatermark, _ => Text($"System memory usage is higher than {options.SystemMemoryHighWatermark}%")),
            provider => provider.GetRequiredService<IVitals>().ReadSystemMemory);
        services.AddWatermark(
            options => options.MemoryCheckInterval,
            options => new Watermark("high_process_memory_usage", options.ProcessMemoryHighWatermark, options.ProcessMemoryHighWatermark, _ => Text($"Process memory usage is higher than {options.ProcessMemoryHighWatermark}%"))
            {
                Describe = details => details["pid"] = Environment.ProcessId,
            },
            provider => provider.GetRequiredService<IVitals>().ReadProcessMemory);
        services.AddWatermark(
            options => options.ProcessCheckInterval,
            options => new Watermark("too_many_processes", options.ProcessHighWatermark, options.ProcessLowWatermark, usage => Text($"{usage:F2}% process usage")),
            provider => provider.GetRequiredService<IVitals>().ReadThreads);
    }

    private static void AddBroker(IHostApplicationBuilder builder)
    {
        var services = builder.Services;
        services.AddWatermark(
            options => options.CheckInterval,
            options => new Watermark("connection_quota", options.ConnectionHighWatermark, options.ConnectionLowWatermark, _ => Text($"The number of connections exceeds {options.ConnectionHighWatermark}%")),
            provider =>
            {
                var (gateway, possible) = (provider.GetRequiredService<IOptionsMonitor<GatewayOptions>>(), DescriptorLimit.MostConnections());
                var connections = provider.GetRequiredService<ConnectionTable>();
                return () => 100.0 * connections.Count / Math.Min(gateway.CurrentValue.MaxConnections, possible);
            });
        services.AddWatermark(
            options => options.CheckInterval,
            options => new Watermark("store_backlog", options.StoreHighWatermark, options.StoreLowWatermark, _ => Text($"Writes that wait for the store take more than {options.StoreHighWatermark}% of their place")),
            provider =>
            {
                var store = provider.GetRequiredService<ILocalStore>();
                return () => 100 * store.Backlog;
            });
        services.AddSingleton<IAlarmCheck, StoreCheck>();
        services.AddSingleton<IAlarmCheck>(provider =>
        {
            var sources = provider.GetRequiredService<SourceHost>();
            return new ResourceCheck(provider.GetRequiredService<AlarmBook>(), () => sources.Reachable, provider.GetRequiredService<ExHookServers>(), provider.GetRequiredService<IOptions<AlarmOptions>>());
        });
        services.AddSingleton<IAlarmCheck, MemberCheck>();
        if (builder.Configuration[$"{AlarmOptions.Section}:{nameof(AlarmOptions.Congestion)}"] is { } isOn && bool.TryParse(isOn, out var watches) && watches) services.AddSingleton<IAlarmCheck, CongestionCheck>();
    }

    private static string Text(FormattableString text) => FormattableString.Invariant(text);

    private static void AddWatermark(this IServiceCollection services, Func<AlarmOptions, TimeSpan> period, Func<AlarmOptions, Watermark> mark, Func<IServiceProvider, Func<double>> read) =>
        services.AddSingleton<IAlarmCheck>(provider =>
        {
            var options = provider.GetRequiredService<IOptions<AlarmOptions>>().Value;
            return new WatermarkCheck(provider.GetRequiredService<AlarmBook>(), period(options), mark(options), read(provider));
        });
}
