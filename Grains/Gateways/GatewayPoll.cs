using Broker.Grains.Interfaces.Gateways;

namespace Broker.Grains.Gateways;

/// <summary>Asks every gateway of the cluster the same question: how a grain recovers what only the gateways know.</summary>
internal sealed class GatewayPoll(ISiloStatusOracle silos, IGatewayClient gateways, TimeProvider time)
{
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(200);

    /// <summary>Whether a gateway is gone for good.</summary>
    public bool HasGone(SiloAddress gateway) => silos.IsDeadSilo(gateway);

    /// <summary>Asks all. Who does not answer is asked again until it does or is declared dead: without its answer the recovery would not be whole.</summary>
    /// <exception cref="OperationCanceledException">Not all had answered in time.</exception>
    public Task<(SiloAddress Gateway, T Answer)[]> AskAllAsync<T>(Func<IGatewayService, Task<T>> question, CancellationToken cancellation)
    {
        // One that is still joining has no clients yet.
        var all = silos.GetApproximateSiloStatuses().Where(silo => silo.Value is SiloStatus.Active or SiloStatus.ShuttingDown or SiloStatus.Stopping);
        return AskAsync([.. all.Select(silo => silo.Key)]);

        async Task<(SiloAddress, T)[]> AskAsync(SiloAddress[] targets)
        {
            var answers = await Task.WhenAll(targets.Select(target => AskOneAsync(target, question, cancellation)));
            return [.. answers.OfType<(SiloAddress, T)>()];
        }
    }

    private async Task<(SiloAddress Gateway, T Answer)?> AskOneAsync<T>(SiloAddress gateway, Func<IGatewayService, Task<T>> question, CancellationToken cancellation)
    {
        while (true)
        {
            try
            {
                return (gateway, await question(gateways.At(gateway)).WaitAsync(cancellation));
            }
            catch (Exception) when (silos.IsDeadSilo(gateway))
            {
                return null;
            }
            catch (Exception) when (!cancellation.IsCancellationRequested)
            {
                await Task.Delay(Pause, time, cancellation);
            }
        }
    }
}
