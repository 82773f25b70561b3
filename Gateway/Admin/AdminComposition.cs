using Broker.Gateway.Admin.Audit;
using Broker.Gateway.Admin.Backup;
using Broker.Gateway.Admin.Resources;
using Broker.Gateway.Hosting;
using Broker.Gateway.Plugins;
using Broker.Gateway.Security;
using Broker.Grains.Interfaces.Nodes;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Options;

namespace Broker.Gateway.Admin;

/// <summary>Composes the HTTP API.</summary>
internal static class AdminComposition
{
    /// <summary>Adds what the process tells operators, and the API by which they ask for it.</summary>
    public static void AddAdmin(this IHostApplicationBuilder builder)
    {
        builder.AddCheckedOptions<ManagementOptions>(ManagementOptions.Section);
        var services = builder.Services;
        services.AddTable<AppTable>().AddSingleton<Apps>().AddTable<DashboardUserTable>().AddSingleton<DashboardUsers>().AddSingleton<Secrets>();
        services.AddSingleton<ApiAccess>().AddHostedService(provider => provider.GetRequiredService<ApiAccess>());
        services.AddSingleton(provider => new NodeIdentity(provider.GetRequiredService<IOptions<GatewayOptions>>().Value.NodeName));
        services.AddSingleton<ClusterNodes>();
        services.AddSingleton<ClientDirectory>();
        services.AddSingleton<ClientCommands>();
        services.AddSingleton<INodeResource, LocalClients>();
        services.AddSingleton<INodeResource, LocalAccessCache>();
        services.AddSingleton<INodeResource, LocalSubscriptions>();
        services.AddSingleton<IApiResource, Nodes>();
        services.AddSingleton<IApiResource, Clients>();
        services.AddSingleton<IApiResource, ClientLimits>();
        services.AddSingleton<IApiResource, Resources.History>();
        services.AddSingleton<INodeResource, LocalHistory>();
        services.AddSingleton<IApiResource, Explain>();
        services.AddSingleton<INodeResource, LocalReceivers>();
        services.AddSingleton<INodeResource, LocalPublishers>();
        services.AddSingleton<IApiResource, Subscriptions>();
        services.AddSingleton<IApiResource, MqttSubscriptions>();
        services.AddSingleton<IApiResource, Resources.Metrics>();
        services.AddSingleton<IApiResource, AppResource>();
        services.AddSingleton<IApiResource, UserResource>();
        services.AddSingleton<IApiResource, ListenerResource>();
        services.AddSingleton<IApiResource, PluginResource>();
        services.AddSingleton<INodeResource, LocalListeners>();
        services.AddTable<PluginTable>().AddSingleton<RememberedPlugins>().AddHostedService(provider => provider.GetRequiredService<RememberedPlugins>());
        services.AddSingleton<INodeResource, LocalPlugins>();
        services.AddSingleton<IApiResource, ModuleResource>();
        services.AddSingleton<IApiResource, TopicMetricResource>();
        services.AddSingleton<INodeResource, LocalTopicMetrics>();
        services.AddSingleton<IApiResource, SlowSubscriptionResource>();
        services.AddSingleton<INodeResource, LocalSlowSubscriptions>();
        services.AddSingleton<SystemLoad>();
        services.AddSingleton<IApiResource, Prometheus>();
        services.AddSingleton<IApiResource, Banned>();
        services.AddSingleton<IApiResource, AuthUsers>();
        services.AddSingleton<IApiResource, AclRules>();
        services.AddSingleton<IApiResource, Messages>();
        services.AddSingleton<LocalSettings>().AddSingleton<INodeResource>(provider => provider.GetRequiredService<LocalSettings>());
        services.AddSingleton<IApiResource, Resources.Configuration>();
        builder.AddAudit();
        builder.AddMonitor();
        services.AddEmqxCompanions();
        services.AddBackup();
        services.AddSingleton<IApiResource, RetainedResource>();
        services.AddSingleton<IApiResource, DelayedMessages>();
        services.AddSingleton<ApiServer>().AddSingleton<StatusPage>();
        // Who may read metrics that are not for everybody.
        services.AddSingleton<Func<HttpContext, ValueTask<bool>>>(provider => async call => (await provider.GetRequiredService<ApiAccess>().AdmitAsync(call)).Admission == Admission.Welcome);
        // The admin port is open before the cluster is joined: what is made here is made when it opens.
        services.AddSingleton<Action<IEndpointRouteBuilder>>(provider => routes => provider.GetRequiredService<ApiServer>().Map(routes));
        services.AddSingleton<Action<IEndpointRouteBuilder>>(provider => routes => provider.GetRequiredService<StatusPage>().Map(routes));
    }

    /// <summary>What scripts for older EMQ X ask for, and what belongs to its plugins.</summary>
    private static void AddEmqxCompanions(this IServiceCollection services)
    {
        services.AddSingleton<IApiResource, LegacyUsers>().AddSingleton<IApiResource, LegacyAcl>().AddSingleton<IApiResource, Sasl>();
        services.AddTable<TelemetryTable>().AddSingleton<IApiResource, Telemetry>();
    }

    /// <summary>Documents with all that operators manage.</summary>
    private static void AddBackup(this IServiceCollection services)
    {
        services.AddSingleton<IDocumentMember, Blacklist>().AddSingleton<IDocumentMember, ApplicationAccounts>().AddSingleton<IDocumentMember, UserAccounts>();
        services.AddSingleton<IDocumentMember, AuthenticationData>().AddSingleton<IDocumentMember, AccessRuleData>();
        services.AddSingleton<RecordsMember>().AddSingleton<Exporter>().AddSingleton<Importer>().AddSingleton<BackupFiles>().AddSingleton<LocalBackups>();
        services.AddSingleton<INodeResource>(provider => provider.GetRequiredService<LocalBackups>()).AddSingleton<IApiResource, Data>();
    }
}
