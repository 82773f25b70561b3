using Broker.Gateway.Transport;
using Broker.Grains.Interfaces.Configuration;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Broker.Gateway.Hosting;

/// <summary>Reads certificates, authorities, revocation lists and pre-shared keys again when their files change. Connections that are open stay.</summary>
internal sealed partial class CertificateWatch(Listeners listeners, IOptions<GatewayOptions> options, TimeProvider time, ILogger<CertificateWatch> log) : BackgroundService
{
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        foreach (var setup in Secure) TellDue(setup);
        using var timer = new PeriodicTimer(options.Value.CertificateReloadInterval, time);
        try
        {
            while (await timer.WaitForNextTickAsync(stoppingToken))
            {
                foreach (var setup in Secure) Reload(setup);
            }
        }
        catch (OperationCanceledException)
        {
            // The broker stops.
        }
    }

    private IEnumerable<ListenerSetup> Secure => listeners.All.Select(one => one.Setup).Where(setup => setup.Options.IsSecure);

    private void Reload(ListenerSetup setup)
    {
        try
        {
            if (!(setup.Tls?.Reload() ?? setup.Psk!.Reload())) return;
            LogReloaded(log, setup.Info.Name);
            TellDue(setup);
        }
        catch (Exception fault) when (fault is StartException or IOException or UnauthorizedAccessException)
        {
            LogNotReloaded(log, setup.Info.Name, fault.Message);
        }
    }

    private void TellDue(ListenerSetup setup)
    {
        if (setup.Tls?.RevocationListDue is { } due && due < time.GetUtcNow()) LogListOld(log, setup.Info.Name, due);
    }

    [LoggerMessage(1, LogLevel.Information, "Listener {Listener} has read its certificates or keys anew.")]
    private static partial void LogReloaded(ILogger log, string listener);

    [LoggerMessage(2, LogLevel.Warning, "Listener {Listener} goes on with the certificates or keys it has: {Reason}")]
    private static partial void LogNotReloaded(ILogger log, string listener, string reason);

    [LoggerMessage(3, LogLevel.Warning, "The revocation list of listener {Listener} was to be replaced at {Due}; it is still used.")]
    private static partial void LogListOld(ILogger log, string listener, DateTimeOffset due);
}
