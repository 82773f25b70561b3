using Broker.Grains.Storage.MySql;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;

namespace Broker.Silo;

/// <summary>What a host may tell its operator about the silo.</summary>
internal static class SiloDescription
{
    /// <summary>Where the data lies.</summary>
    public static string DataOf(IServiceProvider services) =>
        services.GetRequiredService<IOptions<ClusterOptions>>().Value is { IsShared: true } cluster ? ConnectionText.Describe(cluster.ConnectionString!)
            : services.GetRequiredService<IOptions<StorageOptions>>().Value.DatabasePath;
}
