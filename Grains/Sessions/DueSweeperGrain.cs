using Broker.Grains.Interfaces.Sessions;
using Broker.Grains.Storage;

namespace Broker.Grains.Sessions;

/// <inheritdoc cref="IDueSweeperGrain"/>
[KeepAlive]
internal sealed class DueSweeperGrain(BrokerStore store, IGrainFactory grains, TimeProvider time) : Grain, IDueSweeperGrain
{
    private const int Limit = 500;
    private static readonly TimeSpan Period = TimeSpan.FromSeconds(1);

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
            var due = await store.ListDueAsync(time.GetUtcNow().ToUnixTimeMilliseconds(), Limit);
            await Task.WhenAll(due.Select(clientId => grains.GetGrain<ISessionGrain>(SessionKey.Of(clientId)).HandleDue()));
        }
        catch (StoreException)
        {
            // The store says so itself; the next sweep asks again.
        }
    }
}
