using Broker.Grains.Clients;
using Broker.Grains.Cluster;
using Broker.Grains.Gateways;
using Broker.Grains.Interfaces.Clients;
using Broker.Grains.Interfaces.Cluster;
using Broker.Grains.Interfaces.Configuration;
using Broker.Grains.Interfaces.Gateways;
using Broker.Grains.Interfaces.Messages;
using Broker.Grains.Interfaces.Metrics;
using Broker.Grains.Interfaces.Nodes;
using Broker.Grains.Interfaces.Plugins;
using Broker.Grains.Interfaces.Retained;
using Broker.Grains.Interfaces.Routing;
using Broker.Grains.Interfaces.Sessions;
using Broker.Grains.Nodes;
using Broker.Grains.Retained;
using Broker.Grains.Routing;
using Broker.Grains.Sessions;
using Broker.Grains.Storage;
using Broker.Grains.Storage.MySql;
using Broker.Grains.Storage.Sqlite;
using Broker.Silo.Health;
using Broker.Silo.Telemetry;
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
        AddOptions<NodeOptions>(builder, NodeOptions.Section);
        AddOptions<ClusterOptions>(builder, ClusterOptions.Section);
        services.AddSingleton<IValidateOptions<ClusterOptions>, ClusterOptionsValidator>();
        AddOptions<StorageOptions>(builder, StorageOptions.Section);
        AddOptions<RoutingOptions>(builder, RoutingOptions.Section);
        AddOptions<RetainedOptions>(builder, RetainedOptions.Section);
        services.TryAddSingleton<IBrokerHooks>(NoBrokerHooks.Instance); // a gateway in this process brings its own
        services.TryAddSingleton(TimeProvider.System); // a test brings its own clock
        var node = builder.Configuration.GetSection(NodeOptions.Section).Get<NodeOptions>() ?? new NodeOptions();
        var cluster = builder.Configuration.GetSection(ClusterOptions.Section).Get<ClusterOptions>() ?? new ClusterOptions();
        services.AddSingleton(new NodeRole(node.HostGrains, IsAlone: !cluster.IsShared));
        services.Configure<HostOptions>(host => host.ShutdownTimeout = node.DrainDelay + TimeSpan.FromMinutes(1));
        AddHealth(builder);
        builder.AddTelemetry();
        AddStorage(services);
        AddGrainServices(services);
        // Before the silo: grains find the store open, and it closes after the last of them.
        services.AddHostedService<StoreLifetime>();
        builder.UseOrleans(silo => Membership.Configure(silo, node, cluster));
        services.AddHostedService<NodeWatch>();
        services.AddHostedService<SpreadKeeper>();
        services.AddHostedService(provider => provider.GetRequiredService<ShardReadiness>());
    }

    /// <summary>Adds the bounds of sessions that come up without their client. A gateway in the same process brings its own.</summary>
    public static void AddSessionDefaults(this IHostApplicationBuilder builder)
    {
        AddOptions<SessionOptions>(builder, SessionOptions.Section);
        builder.Services.AddSingleton(provider => provider.GetRequiredService<IOptions<SessionOptions>>().Value.ToSessionDefaults());
    }

    /// <summary>Binds options to their section and checks them at start.</summary>
    public static void AddOptions<T>(IHostApplicationBuilder builder, string section)
        where T : class
    {
        builder.Services.AddOptions<T>().Bind(builder.Configuration.GetSection(section)).ValidateOnStart();
        builder.Services.AddSingleton<IValidateOptions<T>>(new AnnotatedOptionsValidator<T>(section));
        builder.Services.AddSingleton<IValidateOptions<T>>(new MapOptionsValidator<T>(builder.Configuration.GetSection(section)));
    }

    /// <summary>What says how the process is: first up and last down.</summary>
    private static void AddHealth(IHostApplicationBuilder builder)
    {
        AddOptions<AdminOptions>(builder, AdminOptions.Section);
        var services = builder.Services;
        services.AddSingleton<Draining>().AddSingleton<IReadiness>(provider => provider.GetRequiredService<Draining>());
        services.AddSingleton<ShardReadiness>().AddSingleton<IReadiness>(provider => provider.GetRequiredService<ShardReadiness>());
        services.AddSingleton<IReadiness, MembershipReadiness>();
        services.AddSingleton<IReadiness, StoreReadiness>();
        services.AddSingleton<AdminServer>().AddHostedService(provider => provider.GetRequiredService<AdminServer>());
        services.AddHostedService<DrainStarter>();
    }

    private static void AddStorage(IServiceCollection services)
    {
        services.AddSingleton(provider => new MessageCodec(provider.GetRequiredService<Serializer<ApplicationMessage>>()));
        services.AddSingleton<StoreInstruments>();
        services.AddSingleton(provider => new StoreOptions { MaxPendingWrites = provider.GetRequiredService<IOptions<StorageOptions>>().Value.MaxPendingWrites });
        services.AddSingleton(CreateDatabase);
        services.AddSingleton<BrokerStore>();
    }

    private static IStoreDatabase CreateDatabase(IServiceProvider provider)
    {
        var node = provider.GetRequiredService<ILocalSiloDetails>().SiloAddress.ToParsableString();
        var codec = provider.GetRequiredService<MessageCodec>();
        var clock = provider.GetRequiredService<TimeProvider>();
        var cluster = provider.GetRequiredService<IOptions<ClusterOptions>>().Value;
        if (cluster.IsShared) return new MySqlDatabase(new MySqlOptions(cluster.Connection()), node, codec, clock);
        var storage = provider.GetRequiredService<IOptions<StorageOptions>>().Value;
        var sqlite = new SqliteOptions { Path = storage.DatabasePath, SyncEveryCommit = storage.SyncEveryCommit, MaxPages = storage.MaxPages };
        return new SqliteDatabase(sqlite, node, codec, clock, provider.GetRequiredService<ILogger<SqliteDatabase>>());
    }

    /// <summary>Adds what this process tells operators. A gateway in the same process brings its name and what it holds.</summary>
    private static void AddNode(IServiceCollection services)
    {
        services.TryAddSingleton(new NodeIdentity($"silo@{Environment.MachineName}"));
        services.AddOptions<SiloOptions>().Configure<NodeIdentity>((options, self) => options.SiloName = self.Name);
        services.AddSingleton<StartTime>();
        services.AddSingleton<INodeClient, NodeClient>();
        services.AddSingleton<ILocalNode, LocalNode>();
        services.AddSingleton<INodeResource, LocalBroker>();
        services.AddSingleton<INodeResource, LocalNodeState>();
        services.AddSingleton<INodeResource, LocalMetrics>();
        services.AddSingleton<INodeResource, LocalStats>();
        services.AddSingleton<INodeResource, AbsentClients>();
        services.AddSingleton<INodeResource, DurableSubscriptions>();
        services.AddSingleton<INodeResource, LocalRoutes>();
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
        AddNode(services);
        services.AddSingleton<GatewayPoll>();
        services.AddSingleton<NodeFences>();
        services.AddSingleton<IWillKeeper, WillKeeper>();
        services.AddSingleton<ISpreadClient, SpreadClient>();
        services.AddSingleton<ISessionClient, SessionClient>();
        services.AddSingleton<PipeLinks>().AddSingleton<RemoteConnections>();
        services.AddSingleton<SessionPublisher>();
        services.AddSingleton<BrokerGauges>();
        services.AddSingleton(provider => new RetainedBudget(provider.GetRequiredService<IOptions<RetainedOptions>>().Value, provider.GetRequiredService<BrokerGauges>()));
    }
}
