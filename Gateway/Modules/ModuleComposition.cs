using Broker.Gateway.Hosting;
using Broker.Gateway.Security;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Options;

namespace Broker.Gateway.Modules;

/// <summary>The modules that every connection needs.</summary>
internal sealed record ConnectionModules(AutoSubscribe AutoSubscribe, TopicRewrite Rewrite);

/// <summary>Composes the modules.</summary>
internal static class ModuleComposition
{
    public static void AddModules(this IHostApplicationBuilder builder)
    {
        builder.AddCheckedOptions<ModuleOptions>(ModuleOptions.Section);
        builder.AddCheckedOptions<RewriteOptions>(RewriteOptions.Section);
        builder.AddCheckedOptions<AutoSubscribeOptions>(AutoSubscribeOptions.Section);
        var services = builder.Services;
        services.AddSingleton<IValidateOptions<RewriteOptions>, RewriteValidator>();
        services.AddSingleton<IValidateOptions<AutoSubscribeOptions>, AutoSubscribeValidator>();
        services.AddTable<ModuleTable>().AddTable<CountedTopics>();
        services.AddSingleton<Modules>();
        services.AddSingleton<TopicMetrics>().AddHostedService(provider => provider.GetRequiredService<TopicMetrics>());
        builder.AddCheckedOptions<SlowSubscriptionOptions>(SlowSubscriptionOptions.Section);
        services.AddSingleton<SlowSubscriptions>().AddHostedService(provider => provider.GetRequiredService<SlowSubscriptions>());
        services.AddSingleton<IClientObserver, Presence>();
        services.AddSingleton<AutoSubscribe>();
        services.AddSingleton<TopicRewrite>();
        services.AddSingleton<ConnectionModules>();
    }
}
