using System.Net;
using Broker.Grains.Cluster;
using Broker.Grains.Gateways;
using Broker.Grains.Nodes;
using Broker.Grains.Sessions;
using Broker.Grains.Storage.MySql;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using Orleans.Configuration;
using Orleans.Runtime.Hosting;

namespace Broker.Silo;

/// <summary>How this process joins the others, notices their deaths, and takes grains.</summary>
internal static class Membership
{
    private const string ServiceId = "broker";
    private static readonly TimeSpan TableRefresh = TimeSpan.FromSeconds(3);

    /// <summary>From the last sign of life to the declaration of death, as Orleans reckons: the longest probe times those that may be missed.</summary>
    private static readonly TimeSpan Detection = TimeSpan.FromSeconds(9);

    public static void Configure(ISiloBuilder silo, NodeOptions node, ClusterOptions cluster)
    {
        if (cluster.IsShared) Share(silo, node, cluster);
        else StandAlone(silo, node, cluster);
        silo.AddActivityPropagation();
        silo.AddGrainService<GatewayService>();
        silo.AddGrainService<NodeService>();
        silo.AddGrainService<SessionService>();
        silo.AddGrainService<SpreadService>();
        silo.AddPlacementDirector<EvenPlacement, EvenPlacementDirector>();
        silo.Configure<GrainCollectionOptions>(collection => collection.CollectionAge = TimeSpan.FromMinutes(5));
        silo.Configure<ClusterMembershipOptions>(SetTimes);
        // What the dead had registered in the consistent directory, and all of its part of that directory, comes up elsewhere when this has passed since
        // it was last heard: when one that in truth lives has read of its death.
        silo.Configure<GrainDirectoryOptions>(directory => directory.RangeLeaseDuration = Detection + TableRefresh);
        if (!node.HostGrains) silo.Configure<GrainTypeOptions>(types => types.Classes.RemoveWhere(type => type.Assembly == typeof(SessionGrain).Assembly));
    }

    private static void StandAlone(ISiloBuilder silo, NodeOptions node, ClusterOptions cluster)
    {
        silo.UseLocalhostClustering(siloPort: OwnAddress.FindPort(node.Port, IPAddress.Loopback), gatewayPort: 0, serviceId: ServiceId, clusterId: cluster.Id);
        silo.AddGrainDirectory(ClusterDirectory.Name, static (_, _) => new ProcessDirectory());
        // It would take itself for one that has tried to join for minutes, and end, when its clock is set while it starts.
        silo.Configure<ClusterMembershipOptions>(static membership => membership.EvictWhenMaxJoinAttemptTimeExceeded = false);
    }

    /// <summary>The members are known from the database that the store is in.</summary>
    private static void Share(ISiloBuilder silo, NodeOptions node, ClusterOptions cluster)
    {
#pragma warning disable ORLEANSEXP003 // the consistent directory: see ClusterDirectory
        silo.AddDistributedGrainDirectory(ClusterDirectory.Name);
#pragma warning restore ORLEANSEXP003
        // What is wrong with the connection string is said when the options are checked.
        var host = ConnectionText.Fault(cluster.ConnectionString!) is null ? ConnectionText.Host(cluster.ConnectionString!) : "localhost";
        var address = OwnAddress.Find(node.Address, host);
        silo.ConfigureEndpoints(address, OwnAddress.FindPort(node.Port, address), gatewayPort: 0);
        silo.Configure<Orleans.Configuration.ClusterOptions>(ids => (ids.ServiceId, ids.ClusterId) = (ServiceId, cluster.Id));
        silo.UseAdoNetClustering(database => database.Configure<IOptions<ClusterOptions>>((options, checkedCluster) =>
        {
            options.Invariant = ConnectionText.OrleansInvariant;
            options.ConnectionString = new MySqlOptions(checkedCluster.Value.Connection()).Complete(pooled: true);
        }));
    }

    /// <summary>A killed process is declared dead in 2 to 3 s, a frozen one in 6 to 10 s: below that a long garbage collection would look like death.</summary>
    private static void SetTimes(ClusterMembershipOptions membership)
    {
        membership.ProbeTimeout = TimeSpan.FromSeconds(2);
        membership.MaxProbeTimeout = TimeSpan.FromSeconds(3);
        // After all were killed, those that start wait for three of these before they take the rows left behind for dead.
        membership.IAmAliveTablePublishTimeout = TimeSpan.FromSeconds(3);
        // One that was declared dead behind a network cut finds that out, and ends, when it reads the table.
        membership.TableRefreshTimeout = TableRefresh;
    }
}
