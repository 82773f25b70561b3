using Broker.Grains.Interfaces.Cluster;
using Broker.Grains.Interfaces.Routing;
using Broker.Grains.Storage;
using Microsoft.Extensions.Hosting;

namespace Broker.Silo.Health;

/// <summary>The process is a member of its cluster.</summary>
internal sealed class MembershipReadiness(ISiloStatusOracle silos) : IReadiness
{
    public string Name => "membership";

    public string? Fault => silos.CurrentStatus == SiloStatus.Active ? null : $"the process is {silos.CurrentStatus}";
}

/// <summary>The store takes what must last.</summary>
internal sealed class StoreReadiness(BrokerStore store) : IReadiness
{
    public string Name => "store";

    public string? Fault => store.Health == StoreHealth.Failing ? "the store takes nothing" : null;
}

/// <summary>All shards answer: looked at every two seconds.</summary>
internal sealed class ShardReadiness(IGrainFactory grains, ShardMap map, TimeProvider time) : BackgroundService, IReadiness
{
    private static readonly TimeSpan Period = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(5);

    private volatile string? fault = "shards have not been reached yet";

    public string Name => "shards";

    public string? Fault => fault;

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(Period, time);
        try
        {
            do fault = await LookAsync(stoppingToken);
            while (await timer.WaitForNextTickAsync(stoppingToken));
        }
        catch (OperationCanceledException)
        {
            // The process stops.
        }
    }

    private async Task<string?> LookAsync(CancellationToken stopping)
    {
        try
        {
            await Task.WhenAll(Enumerable.Range(0, map.Count).Select(shard => grains.GetGrain<ITopicShardGrain>(shard).Ping())).WaitAsync(Patience, time, stopping);
            return null;
        }
        catch (Exception error) when (!stopping.IsCancellationRequested) // whatever a call to another process throws
        {
            return error.Message;
        }
    }
}

/// <summary>Told to stop, the process turns unready first and goes on serving for a while, so that load balancers notice.</summary>
internal sealed class DrainStarter(Draining draining, Microsoft.Extensions.Options.IOptions<NodeOptions> options, TimeProvider time) : IHostedLifecycleService
{
    public Task StoppingAsync(CancellationToken cancellationToken)
    {
        draining.Begin();
        return Task.Delay(options.Value.DrainDelay, time, cancellationToken);
    }

    public Task StartingAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StartedAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StoppedAsync(CancellationToken cancellationToken) => Task.CompletedTask;
}
