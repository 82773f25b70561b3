using Broker.Grains.Cluster;
using Broker.Grains.Interfaces.Sessions;
using Broker.Grains.Storage;
using Broker.Grains.Storage.Writes;

namespace Broker.Grains.Sessions;

/// <inheritdoc cref="IDueSweeperGrain"/>
[KeepAlive]
internal sealed class DueSweeperGrain(BrokerStore store, IGrainFactory grains, TimeProvider time) : Grain, IDueSweeperGrain
{
    private const int Limit = 500;
    private static readonly TimeSpan Period = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan OriginPeriod = TimeSpan.FromHours(1);

    /// <summary>Longer than any message is repeated between processes, or by a client that comes back.</summary>
    private static readonly TimeSpan OriginMemory = TimeSpan.FromDays(7);

    public override Task OnActivateAsync(CancellationToken cancellationToken)
    {
        this.RegisterGrainTimer(ForgetOriginsAsync, new GrainTimerCreationOptions(OriginPeriod, OriginPeriod));
        this.RegisterGrainTimer(SweepAsync, new GrainTimerCreationOptions(TimeSpan.Zero, Period));
        return Task.CompletedTask;
    }

    public Task Ping() => Task.CompletedTask;

    private Task ForgetOriginsAsync(CancellationToken cancellation)
    {
        store.Submit(new ForgetOrigins((time.GetUtcNow() - OriginMemory).ToUnixTimeMilliseconds()));
        return Task.CompletedTask;
    }

    private async Task SweepAsync(CancellationToken cancellation)
    {
        try
        {
            var due = await store.ListDueAsync(time.GetUtcNow().ToUnixTimeMilliseconds(), Limit);
            await Task.WhenAll(due.Select(clientId => grains.GetGrain<ISessionGrain>(SessionKey.Of(clientId)).HandleDue()));
        }
        catch (Exception fault) when (PassingFault.Is(fault))
        {
            // The next sweep asks again.
        }
    }
}
