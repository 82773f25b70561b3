using System.Globalization;
using Broker.Grains.Interfaces.Routing;
using Broker.Grains.Interfaces.Sessions;
using Broker.Grains.Storage;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Options;

namespace Broker.Silo;

/// <summary>Opens the store before the silo starts and closes it, flushed, after the silo has stopped.</summary>
internal sealed class StoreLifetime(BrokerStore store, IOptions<RoutingOptions> routing) : IHostedService
{
    /// <exception cref="OptionsValidationException">The store was made for other shards.</exception>
    public async Task StartAsync(CancellationToken cancellationToken)
    {
        await store.StartAsync();
        await CheckAsync("routing.shards", "Routing:Shards", routing.Value.Shards);
        await CheckAsync("routing.shard_levels", "Routing:ShardLevels", routing.Value.ShardLevels);
    }

    public async Task StopAsync(CancellationToken cancellationToken) => await store.DisposeAsync();

    private async Task CheckAsync(string setting, string key, int configured)
    {
        var wanted = configured.ToString(CultureInfo.InvariantCulture);
        var stored = await store.GetOrCreateSettingAsync(setting, wanted);
        if (stored == wanted) return;
        throw new OptionsValidationException(key, typeof(RoutingOptions),
            [$"{key} = '{wanted}' is not allowed: this store was created with {stored}, which is fixed for its life."]);
    }
}

/// <summary>Starts the sweeper of due wills and expiries once the silo is active.</summary>
internal sealed class DueSweeperStarter(IGrainFactory grains) : IHostedService
{
    public Task StartAsync(CancellationToken cancellationToken) => grains.GetGrain<IDueSweeperGrain>(0).Ping();

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
}
