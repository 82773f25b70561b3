using Broker.Gateway.Admin;
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
using Broker.Gateway.Transport;
using Broker.Grains.Interfaces.Cluster;
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
        builder.AddCheckedOptions<MqttOptions>(MqttOptions.Section);
        builder.AddCheckedOptions<GatewayOptions>(GatewayOptions.Section);
        var services = builder.Services;
        services.AddOptions<ListenersOptions>().Bind(builder.Configuration.GetSection(ListenersOptions.Section)).ValidateOnStart();
        services.AddSingleton<IValidateOptions<ListenersOptions>, ListenersValidator>();
        AddTransport(services);
        AddLinks(services);
        builder.AddHooks();
        builder.AddSecurity();
        builder.AddModules();
        builder.AddAdmin();
        services.AddSingleton<SubscriptionHandler>();
        services.AddSingleton(provider => provider.GetRequiredService<IOptions<MqttOptions>>().Value.ToSessionDefaults());
        services.AddSingleton<DurableSessions>();
        services.AddSingleton<SessionOpener>();
        services.AddSingleton<RoutingQuotas>();
        AddGuard(builder);
        services.AddSingleton<ConnectionTable>();
        services.AddSingleton(provider => new HandshakeAdmission(provider.GetRequiredService<IOptions<GatewayOptions>>().Value.MaxHandshakes));
        services.AddSingleton(provider => new ConnectionServices(
            provider.GetRequiredService<NodeRole>(),
            provider.GetRequiredService<IOptions<MqttOptions>>().Value,
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
        builder.AddCheckedOptions<FlappingOptions>(FlappingOptions.Section);
        builder.AddCheckedOptions<BruteForceOptions>(BruteForceOptions.Section);
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
        services.AddSingleton<ClientRegistryLinks>();
        services.AddSingleton<SessionLinks>();
        services.AddSingleton<MessageRouter>();
        services.AddSingleton<LocalGateway>();
        services.AddSingleton<ILocalGateway>(provider => provider.GetRequiredService<LocalGateway>());
    }
}
