using Broker.Gateway.Links;
using Broker.Grains.Interfaces.Cluster;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Broker.Gateway.Hosting;

/// <summary>Beats the <see cref="Pulse"/>; after a standstill only once the membership table says that this process was not declared dead.</summary>
/// <remarks>If it was, Orleans ends the process as soon as the table has been read.</remarks>
internal sealed partial class PulseKeeper(
    Pulse pulse, NodeRole role, IClusterMembershipService membership, ILocalSiloDetails self, TimeProvider time, ILogger<PulseKeeper> log) : BackgroundService
{
    private static readonly TimeSpan Period = TimeSpan.FromMilliseconds(500);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        if (role.IsAlone) return;
        pulse.Beat(); // the time it took to join is no standstill
        using var timer = new PeriodicTimer(Period, time);
        try
        {
            while (await timer.WaitForNextTickAsync(stoppingToken))
            {
                if (!pulse.IsFresh) await ConfirmAsync(stoppingToken);
                pulse.Beat();
            }
        }
        catch (OperationCanceledException)
        {
            // The process stops.
        }
    }

    private async Task ConfirmAsync(CancellationToken stopping)
    {
        LogStoodStill(log, pulse.Gap);
        while (true)
        {
            try
            {
                await membership.Refresh(cancellationToken: stopping);
                var status = membership.CurrentSnapshot.GetSiloStatus(self.SiloAddress);
                if (status is SiloStatus.Active or SiloStatus.ShuttingDown or SiloStatus.Stopping) return;
            }
            catch (Exception fault) when (!stopping.IsCancellationRequested) // whatever the database's driver throws
            {
                LogUnconfirmed(log, fault.Message);
            }

            await Task.Delay(Period, time, stopping);
        }
    }

    [LoggerMessage(1, LogLevel.Warning, "This process stood still for {Gap}: clients wait until membership says that it still owns what it holds")]
    private static partial void LogStoodStill(ILogger log, TimeSpan gap);

    [LoggerMessage(2, LogLevel.Warning, "Membership cannot be read: {Reason}")]
    private static partial void LogUnconfirmed(ILogger log, string reason);
}
