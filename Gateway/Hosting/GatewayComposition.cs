using Broker.Gateway.Admin;
using Broker.Gateway.Alarms;
using Broker.Gateway.Configuration;
using Broker.Gateway.History;
using Broker.Gateway.Hooks;
using Broker.Gateway.Links;
using Broker.Gateway.Modules;
using Broker.Gateway.Mqtt;
using Broker.Gateway.Mqtt.Limits;
using Broker.Gateway.Security;
using Broker.Gateway.Security.Bans;
using Broker.Gateway.Security.Guard;
using Broker.Gateway.Sessions;
using Broker.Gateway.Tracing;
using Broker.Gateway.Transport;
using Broker.Grains.Interfaces.Cluster;
using Broker.Grains.Interfaces.Configuration;
using Broker.Grains.Interfaces.Gateways;
using Broker.Grains.Interfaces.Metrics;
using Broker.Grains.Interfaces.Routing;
using DotNetty.Common.Internal.Logging;
using DotNetty.Transport.Channels;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Broker.Gateway.Hosting;

/// <summary>Composes the gateway: event loops, links, sessions, connections and what listens.</summary>
internal static class GatewayComposition
{
    /// <summary>Adds the gateway to a host, behind its silo: it starts when the silo is active and has stopped before it leaves.</summary>
    public static void AddGateway(this IHostApplicationBuilder builder)
    {
        // Timers and sockets that are there from the start have these.
        builder.AddLiveOptions<MqttOptions>(MqttOptions.Section, nameof(MqttOptions.SysInterval), nameof(MqttOptions.SysHeartbeat), nameof(MqttOptions.HighWatermark));
        builder.AddLiveOptions<GatewayOptions>(
            GatewayOptions.Section, nameof(GatewayOptions.Address), nameof(GatewayOptions.Port), nameof(GatewayOptions.Backlog), nameof(GatewayOptions.MaxHandshakes), nameof(GatewayOptions.EventLoops),
            nameof(GatewayOptions.Transport), nameof(GatewayOptions.NodeName), nameof(GatewayOptions.CertificateReloadInterval));
        var services = builder.Services;
        services.AddOptions<ListenersOptions>().Bind(builder.Configuration.GetSection(ListenersOptions.Section)).ValidateOnStart();
        services.AddSingleton<IValidateOptions<ListenersOptions>, ListenersValidator>();
        services.AddSingleton<IValidateOptions<ListenersOptions>>(new MapOptionsValidator<ListenersOptions>(builder.Configuration.GetSection(ListenersOptions.Section)));
        AddTransport(services);
        AddLinks(services);
        builder.AddHooks();
        builder.AddSecurity();
        builder.AddSettings();
        builder.AddModules();
        builder.AddTracing();
        builder.AddAdmin();
        builder.AddAlarms();
        services.AddSingleton<SubscriptionHandler>();
        services.AddTransient(provider => provider.GetRequiredService<IOptionsMonitor<MqttOptions>>().CurrentValue.Defaults);
        services.AddSingleton<DurableSessions>();
        services.AddSingleton<SessionOpener>();
        services.AddSingleton<RoutingQuotas>();
        AddGuard(builder);
        services.AddSingleton<ConnectionTable>();
        services.AddSingleton(provider => new HandshakeAdmission(provider.GetRequiredService<IOptions<GatewayOptions>>().Value.MaxHandshakes));
        services.AddSingleton(provider => new ConnectionServices(
            provider.GetRequiredService<NodeRole>(),
            provider.GetRequiredService<IOptionsMonitor<MqttOptions>>(),
            provider.GetRequiredService<Authentication>(),
            provider.GetRequiredService<Authorization>(),
            provider.GetRequiredService<FlightRecorder>(),
            provider.GetRequiredService<MessageRouter>(),
            provider.GetRequiredService<ClientRegistryLinks>(),
            provider.GetRequiredService<SessionOpener>(),
            provider.GetRequiredService<SubscriptionHandler>(),
            provider.GetRequiredService<ConnectionModules>(),
            provider.GetRequiredService<RoutingQuotas>(),
            provider.GetRequiredService<ConnectGuard>(),
            provider.GetRequiredService<ConnectionTable>(),
            provider.GetRequiredService<HandshakeAdmission>(),
            provider.GetRequiredService<BrokerGauges>(),
            [.. provider.GetServices<IClientObserver>()],
            provider.GetRequiredService<BrokerHooks>(),
            provider.GetRequiredService<ILogger<Connection>>()));
        services.AddSingleton<Pulse>();
        services.AddSingleton<Listeners>().AddSingleton<IReadiness>(provider => provider.GetRequiredService<Listeners>());
        services.AddSingleton<ISettingTarget>(provider => provider.GetRequiredService<Listeners>());
        services.AddHostedService<PulseKeeper>();
        services.AddHostedService<GatewayLifetime>();
        services.AddSingleton<SysPublisher>().AddHostedService(provider => provider.GetRequiredService<SysPublisher>());
        builder.AddCheckedOptions<SystemMonitorOptions>(SystemMonitorOptions.Section);
        services.AddHostedService<SystemMonitor>();
        services.AddHostedService<GatewayMeter>();
        services.AddHostedService<CertificateWatch>();
    }

    private static void AddGuard(IHostApplicationBuilder builder)
    {
        builder.AddLiveOptions<FlappingOptions>(FlappingOptions.Section);
        builder.AddLiveOptions<BruteForceOptions>(BruteForceOptions.Section);
        var services = builder.Services;
        services.AddTable<BanTable>().AddSingleton<IBanList, BanList>();
        services.AddSingleton<IClientObserver, FlappingDetector>();
        services.AddSingleton<ConnectAdmission>();
        services.AddSingleton<BruteForceGuard>();
        services.AddSingleton<ConnectGuard>();
    }

    private static void AddTransport(IServiceCollection services)
    {
        services.AddSingleton(provider =>
        {
            // What the transport has to say, such as that descriptors have run out, goes where everything else goes.
            InternalLoggerFactory.DefaultFactory = provider.GetRequiredService<ILoggerFactory>();
            return TransportFactory.Create(provider.GetRequiredService<IOptions<GatewayOptions>>().Value.Transport switch
            {
                "epoll" => TransportPreference.Epoll,
                "portable" => TransportPreference.Portable,
                _ => TransportPreference.Automatic,
            });
        });
        services.AddSingleton(provider =>
            provider.GetRequiredService<ITransport>().CreateLoops(provider.GetRequiredService<IOptions<GatewayOptions>>().Value.EffectiveEventLoops));
        services.AddSingleton(provider => new GatewayLoops(
            provider.GetRequiredService<IEventLoopGroup>().Items, provider.GetRequiredService<ShardMap>(), provider.GetRequiredService<Pulse>(),
            provider.GetRequiredService<TimeProvider>(), provider.GetRequiredService<BrokerHooks>(), provider.GetRequiredService<LoopTelemetry>()));
    }

    private static void AddLinks(IServiceCollection services)
    {
        services.AddSingleton<LoopTelemetry>();
        services.AddSingleton<ShardLinks>();
        services.AddSingleton<RetainedLinks>();
        services.AddSingleton<DelayedLinks>();
        services.AddSingleton<ClientRegistryLinks>();
        services.AddSingleton<SessionLinks>();
        services.AddSingleton<MessageRouter>();
        services.AddSingleton<LocalGateway>();
        services.AddSingleton<ILocalGateway>(provider => provider.GetRequiredService<LocalGateway>());
    }
}
