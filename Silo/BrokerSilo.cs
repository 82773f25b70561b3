using System.Net;
using System.Net.Sockets;
using Broker.Grains.Clients;
using Broker.Grains.Gateways;
using Broker.Grains.Interfaces.Clients;
using Broker.Grains.Interfaces.Configuration;
using Broker.Grains.Interfaces.Gateways;
using Broker.Grains.Interfaces.Messages;
using Broker.Grains.Interfaces.Retained;
using Broker.Grains.Interfaces.Routing;
using Broker.Grains.Interfaces.Sessions;
using Broker.Grains.Retained;
using Broker.Grains.Routing;
using Broker.Grains.Sessions;
using Broker.Grains.Storage;
using Broker.Grains.Storage.Sqlite;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Orleans.Configuration;
using Orleans.Serialization;

namespace Broker.Silo;

/// <summary>Composes a silo: clustering, storage and the grains' services.</summary>
internal static class BrokerSilo
{
    /// <summary>Adds a silo to a host. What is registered after this starts when the silo is active and stops before it.</summary>
    public static void AddBrokerSilo(this IHostApplicationBuilder builder)
    {
        var services = builder.Services;
        AddOptions<SiloOptions>(builder, SiloOptions.Section);
        AddOptions<StorageOptions>(builder, StorageOptions.Section);
        AddOptions<RoutingOptions>(builder, RoutingOptions.Section);
        AddOptions<RetainedOptions>(builder, RetainedOptions.Section);
        services.TryAddSingleton(TimeProvider.System); // a test brings its own clock
        AddStorage(services);
        AddGrainServices(services);
        // Before the silo: grains find the store open, and it closes after the last of them.
        services.AddHostedService<StoreLifetime>();
        builder.UseOrleans(silo =>
        {
            var port = silo.Configuration.GetValue($"{SiloOptions.Section}:{nameof(SiloOptions.Port)}", 0);
            silo.UseLocalhostClustering(siloPort: port != 0 ? port : FreePort(), gatewayPort: 0, serviceId: "broker", clusterId: "broker");
            silo.AddGrainService<GatewayService>();
            silo.AddGrainService<SessionService>();
            silo.Configure<GrainCollectionOptions>(collection => collection.CollectionAge = TimeSpan.FromMinutes(5));
        });
        services.AddHostedService<DueSweeperStarter>();
    }

    /// <summary>Binds options to their section and checks them at start.</summary>
    public static void AddOptions<T>(IHostApplicationBuilder builder, string section)
        where T : class
    {
        builder.Services.AddOptions<T>().Bind(builder.Configuration.GetSection(section)).ValidateOnStart();
        builder.Services.AddSingleton<IValidateOptions<T>>(new AnnotatedOptionsValidator<T>(section));
        builder.Services.AddSingleton<IValidateOptions<T>>(new MapOptionsValidator<T>(builder.Configuration.GetSection(section)));
    }

    private static void AddStorage(IServiceCollection services)
    {
        services.AddMetrics();
        services.AddSingleton(provider => new MessageCodec(provider.GetRequiredService<Serializer<ApplicationMessage>>()));
        services.AddSingleton<StoreInstruments>();
        services.AddSingleton(provider => new StoreOptions { MaxPendingWrites = provider.GetRequiredService<IOptions<StorageOptions>>().Value.MaxPendingWrites });
        services.AddSingleton<IStoreDatabase>(provider =>
        {
            var storage = provider.GetRequiredService<IOptions<StorageOptions>>().Value;
            var sqlite = new SqliteOptions { Path = storage.DatabasePath, SyncEveryCommit = storage.SyncEveryCommit, MaxPages = storage.MaxPages };
            return new SqliteDatabase(
                sqlite, provider.GetRequiredService<MessageCodec>(), provider.GetRequiredService<TimeProvider>(), provider.GetRequiredService<ILogger<SqliteDatabase>>());
        });
        services.AddSingleton<BrokerStore>();
    }

    private static void AddGrainServices(IServiceCollection services)
    {
        services.AddSingleton(provider =>
        {
            var routing = provider.GetRequiredService<IOptions<RoutingOptions>>().Value;
            return new ShardMap(routing.Shards, routing.ShardLevels);
        });
        services.AddSingleton<LocalShards>().AddSingleton<ILocalShards>(provider => provider.GetRequiredService<LocalShards>());
        services.AddSingleton<LocalSessions>().AddSingleton<ILocalSessions>(provider => provider.GetRequiredService<LocalSessions>());
        services.AddSingleton<LocalClientRegistries>().AddSingleton<ILocalClientRegistries>(provider => provider.GetRequiredService<LocalClientRegistries>());
        services.AddSingleton<LocalRetainedPartitions>().AddSingleton<ILocalRetainedPartitions>(provider => provider.GetRequiredService<LocalRetainedPartitions>());
        services.AddSingleton<IDestinationFactory, DestinationFactory>();
        services.AddSingleton<IGatewayClient, GatewayClient>();
        services.AddSingleton<ISessionClient, SessionClient>();
        services.AddSingleton<PipeLinks>().AddSingleton<RemoteConnections>();
        services.AddSingleton<SessionPublisher>();
        // A gateway in the same process knows what is configured, and registers it behind this.
        services.AddSingleton(new SessionDefaults(new SessionLimits(), UpgradeQos: false));
        services.AddSingleton(provider => new RetainedBudget(provider.GetRequiredService<IOptions<RetainedOptions>>().Value));
    }

    /// <summary>A port nobody listens on. Two silos on one port start silently and steal each other's connections.</summary>
    private static int FreePort()
    {
        using var probe = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        probe.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        return ((IPEndPoint)probe.LocalEndPoint!).Port;
    }
}
