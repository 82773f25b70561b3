using Broker.Grains.Interfaces.Routing;
using Broker.Grains.Interfaces.Sessions;
using Broker.Grains.Storage;

namespace Broker.Grains.Sessions;

/// <inheritdoc cref="IDueSweeperGrain"/>
[KeepAlive]
internal sealed class DueSweeperGrain(BrokerStore store, ShardMap map, IGrainFactory grains, TimeProvider time) : Grain, IDueSweeperGrain
{
    private const int Limit = 500;
    private static readonly TimeSpan Period = TimeSpan.FromSeconds(1);

    /// <summary>The next partition to look through for sessions whose connection died with its process.</summary>
    private int nextPartition;

    public override Task OnActivateAsync(CancellationToken cancellationToken)
    {
        this.RegisterGrainTimer(SweepAsync, new GrainTimerCreationOptions(TimeSpan.Zero, Period));
        return Task.CompletedTask;
    }

    public Task Ping() => Task.CompletedTask;

    private async Task SweepAsync(CancellationToken cancellation)
    {
        try
        {
            for (; nextPartition < map.Count; nextPartition++) await VisitConnectedAsync(nextPartition);
            var due = await store.ListDueAsync(time.GetUtcNow().ToUnixTimeMilliseconds(), Limit);
            await Task.WhenAll(due.Select(clientId => grains.GetGrain<ISessionGrain>(SessionKey.Of(clientId)).HandleDue()));
        }
        catch (StoreException)
        {
            // The store says so itself; the next sweep asks again.
        }
    }

    /// <summary>Wakes the sessions that the store knows as connected: those that are not any more notice it, and come due.</summary>
    private async Task VisitConnectedAsync(int partition)
    {
        foreach (var some in (await store.ListSessionsAsync(partition)).Where(session => session.IsConnected).Chunk(Limit))
        {
            await Task.WhenAll(some.Select(session => grains.GetGrain<ISessionGrain>(SessionKey.Of(session.ClientId)).HandleDue()));
        }
    }
}
