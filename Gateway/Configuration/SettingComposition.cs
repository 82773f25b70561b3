using Broker.Gateway.Hosting;
using Broker.Gateway.Security;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Broker.Gateway.Configuration;

/// <summary>Composes what follows the cluster's settings.</summary>
internal static class SettingComposition
{
    /// <summary>Adds the document and what makes this process follow it. Behind the feed of records, before whatever must know the settings when it starts.</summary>
    public static void AddSettings(this IHostApplicationBuilder builder)
    {
        var services = builder.Services;
        services.AddTable<SettingTable>();
        services.AddSingleton<LiveConfiguration>();
        services.AddSingleton<Settings>();
        builder.AddLiveOptions<LogOptions>(LogOptions.Section);
        services.AddSingleton<LiveLogLevels>();
        services.AddSingleton<IPostConfigureOptions<LoggerFilterOptions>>(provider => provider.GetRequiredService<LiveLogLevels>());
        services.AddSingleton<IOptionsChangeTokenSource<LoggerFilterOptions>>(provider => provider.GetRequiredService<LiveLogLevels>());
        services.AddSingleton<SettingApplier>().AddHostedService(provider => provider.GetRequiredService<SettingApplier>());
    }

    /// <summary>Adds options that are checked at the start, and may change while the broker runs: <see cref="IOptionsMonitor{T}"/> has what holds.</summary>
    /// <param name="fixedKeys">Keys that hold from start to end.</param>
    public static void AddLiveOptions<T>(this IHostApplicationBuilder builder, string section, params string[] fixedKeys)
        where T : class, new()
    {
        builder.AddCheckedOptions<T>(section);
        var services = builder.Services;
        services.AddSingleton(provider => new LiveOptions<T>(
            new SettingSection(section, typeof(T), fixedKeys), provider.GetRequiredService<IOptions<T>>().Value, provider.GetServices<IValidateOptions<T>>()));
        services.AddSingleton<IOptionsMonitor<T>>(provider => provider.GetRequiredService<LiveOptions<T>>());
        services.AddSingleton<ISettingTarget>(provider => provider.GetRequiredService<LiveOptions<T>>());
    }
}
