using Broker.Gateway.Security.Bans;
using Broker.Grains.Interfaces.Messages;
using Broker.Grains.Interfaces.Metrics;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Broker.Gateway.Security.Guard;

/// <summary>Bans client identifiers that connect and disconnect all the time, as two devices with the same one do, or one that cannot bear what it gets.</summary>
/// <remarks>Every end of a connection counts, whoever ended it; a refused CONNECT does not.</remarks>
internal sealed partial class FlappingDetector : IClientObserver
{
    /// <summary>What EMQ X writes into its list.</summary>
    public const string By = "flapping detector";
    public const string Reason = "flapping is detected";

    private const int MaxClients = 100_000;

    private readonly IBanList bans;
    private readonly TimeProvider time;
    private readonly ILogger<FlappingDetector> log;
    private volatile Counts current;

    public FlappingDetector(IOptionsMonitor<FlappingOptions> options, IBanList bans, TimeProvider time, ILogger<FlappingDetector> log)
    {
        (this.bans, this.time, this.log) = (bans, time, log);
        current = Make(options.CurrentValue);
        options.OnChange(changed => current = Make(changed));

        Counts Make(FlappingOptions made) => new(made, new(MaxClients, made.Window, made.MaxDisconnects, time));
    }

    private sealed record Counts(FlappingOptions Options, WindowCounts<string> Disconnects);

    public void Connected(ClientInfo client)
    {
    }

    public void Refused(ClientInfo client, ReasonCode code, string reason)
    {
    }

    public void Disconnected(ClientInfo client, string reason)
    {
        var (options, disconnects) = current;
        if (!options.Enabled || disconnects.Add(client.ClientId) < options.MaxDisconnects) return;
        disconnects.Remove(client.ClientId);
        BrokerCounters.Add(Metric.ClientFlapping);
        _ = Task.Run(() => BanAsync(client.ClientId, options.BanTime)); // off the event loop: the list may be a grain's
    }

    private async Task BanAsync(string clientId, TimeSpan length)
    {
        var now = time.GetUtcNow();
        try
        {
            await bans.BanAsync(new Ban(BanKind.ClientId, clientId, By, Reason, now, now + length));
        }
        catch (Exception error) // the boundary of this task; it will be counted anew
        {
            LogNotBanned(log, clientId, error.Message);
        }
    }

    [LoggerMessage(1, LogLevel.Warning, "Client {ClientId} is flapping, but could not be banned: {Reason}")]
    private static partial void LogNotBanned(ILogger log, string clientId, string reason);
}
