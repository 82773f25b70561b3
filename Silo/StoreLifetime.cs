using System.Globalization;
using Broker.Grains.Interfaces.Configuration;
using Broker.Grains.Interfaces.Routing;
using Broker.Grains.Storage;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Options;

namespace Broker.Silo;

/// <summary>Opens the store before the silo starts and closes it, flushed, after the silo has stopped.</summary>
internal sealed class StoreLifetime(BrokerStore store, IOptions<ClusterOptions> cluster, IOptions<StorageOptions> storage, IOptions<RoutingOptions> routing) : IHostedService, IDisposable
{
    private FileStream? claim;

    /// <exception cref="StartException">The store cannot be opened.</exception>
    /// <exception cref="OptionsValidationException">The store was made for other shards.</exception>
    public async Task StartAsync(CancellationToken cancellationToken)
    {
        if (!cluster.Value.IsShared) Claim(storage.Value.DataDirectory);
        try
        {
            await store.StartAsync();
        }
        catch (StoreException fault)
        {
            throw new StartException(fault.Message, fault);
        }

        await CheckAsync("routing.shards", "Routing:Shards", routing.Value.Shards);
        await CheckAsync("routing.shard_levels", "Routing:ShardLevels", routing.Value.ShardLevels);
    }

    public async Task StopAsync(CancellationToken cancellationToken)
    {
        await store.DisposeAsync();
        Dispose();
    }

    public void Dispose() => claim?.Dispose();

    /// <summary>Two processes on one file would take each other's sessions away. The system drops the claim with the process, however it ends.</summary>
    private void Claim(string folder)
    {
        var path = Path.GetFullPath(folder);
        try
        {
            Directory.CreateDirectory(path);
            claim = new FileStream(Path.Combine(path, "broker.lock"), FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
        }
        catch (Exception fault) when (fault is IOException or UnauthorizedAccessException)
        {
            throw new StartException($"Storage:DataDirectory = '{folder}': {path} cannot be used, or another broker uses it ({fault.Message}).", fault);
        }
    }

    private async Task CheckAsync(string setting, string key, int configured)
    {
        var wanted = configured.ToString(CultureInfo.InvariantCulture);
        var stored = await store.GetOrCreateSettingAsync(setting, wanted);
        if (stored == wanted) return;
        throw new OptionsValidationException(key, typeof(RoutingOptions),
            [$"{key} = '{wanted}' is not allowed: this store was created with {stored}, which is fixed for its life."]);
    }
}
