using Broker.Gateway.ExHook;
using Broker.Gateway.History;
using Broker.Gateway.Hosting;
using Broker.Gateway.Modules;
using Broker.Gateway.Plugins;
using Broker.Gateway.Security;
using Broker.Gateway.Tracing;
using Broker.Grains.Interfaces.Plugins;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Broker.Gateway.Hooks;

/// <summary>Composes hooks and the plugins that use them.</summary>
internal static class HookComposition
{
    /// <summary>Adds them: before what takes clients, and before other sources of authentication and access rules, which they come in front of.</summary>
    public static void AddHooks(this IHostApplicationBuilder builder)
    {
        builder.AddCheckedOptions<PluginOptions>(PluginOptions.Section);
        var services = builder.Services;
        services.AddSingleton<HookLanes>();
        services.AddSingleton(provider => new BrokerHooks(
            new HookFailures(provider.GetRequiredService<TimeProvider>(), provider.GetRequiredService<ILogger<BrokerHooks>>()), provider.GetRequiredService<HookLanes>(),
            provider.GetRequiredService<AnswerEpoch>().Next, failsClosed: provider.GetRequiredService<IOptions<PluginOptions>>().Value.FailedAction == "deny")
        {
            Recorder = provider.GetRequiredService<FlightRecorder>(),
            TopicMetrics = provider.GetRequiredService<TopicMetrics>(),
            SlowSubscriptions = provider.GetRequiredService<SlowSubscriptions>(),
            Traces = provider.GetRequiredService<Traces>(),
        });
        services.AddSingleton<IHooks>(provider => provider.GetRequiredService<BrokerHooks>());
        services.Replace(ServiceDescriptor.Singleton<IBrokerHooks>(provider => provider.GetRequiredService<BrokerHooks>()));
        services.AddSingleton<IAuthenticator, HookAuthenticator>();
        services.AddSingleton<IAuthorizer, HookAuthorizer>();
        services.AddSingleton<IClientObserver, HookObserver>();
        AddExHook(builder);
        services.AddSingleton<PluginHost>().AddHostedService(provider => provider.GetRequiredService<PluginHost>());
    }

    private static void AddExHook(IHostApplicationBuilder builder)
    {
        builder.AddCheckedOptions<ExHookOptions>(ExHookOptions.Section);
        var services = builder.Services;
        services.AddSingleton<IValidateOptions<ExHookOptions>, ExHookValidator>();
        services.AddSingleton<ExHookInstruments>();
        services.AddSingleton<ExHookServers>().AddHostedService(provider => provider.GetRequiredService<ExHookServers>());
    }
}
