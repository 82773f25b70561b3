using Broker.Gateway.Security.Bans;
using Broker.Grains.Interfaces.Messages;
using Broker.Grains.Interfaces.Metrics;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Broker.Gateway.Security.Guard;

/// <summary>Bans client identifiers that connect and disconnect all the time, as two devices with the same one do, or one that cannot bear what it gets.</summary>
/// <remarks>Every end of a connection counts, whoever ended it; a refused CONNECT does not.</remarks>
internal sealed partial class FlappingDetector(IOptions<FlappingOptions> flapping, IBanList bans, TimeProvider time, ILogger<FlappingDetector> log) : IClientObserver
{
    /// <summary>What EMQ X writes into its list.</summary>
    public const string By = "flapping detector";
    public const string Reason = "flapping is detected";

    private const int MaxClients = 100_000;

    private readonly FlappingOptions options = flapping.Value;
    private readonly WindowCounts<string> disconnects = new(MaxClients, flapping.Value.Window, flapping.Value.MaxDisconnects, time);

    public void Connected(ClientInfo client)
    {
    }

    public void Refused(ClientInfo client, ReasonCode code, string reason)
    {
    }

    public void Disconnected(ClientInfo client, string reason)
    {
        if (!options.Enabled || disconnects.Add(client.ClientId) < options.MaxDisconnects) return;
        disconnects.Remove(client.ClientId);
        BrokerCounters.Add(Metric.ClientFlapping);
        _ = Task.Run(() => BanAsync(client.ClientId)); // off the event loop: the list may be a grain's
    }

    private async Task BanAsync(string clientId)
    {
        var now = time.GetUtcNow();
        try
        {
            await bans.BanAsync(new Ban(BanKind.ClientId, clientId, By, Reason, now, now + options.BanTime));
        }
        catch (Exception error) // the boundary of this task; it will be counted anew
        {
            LogNotBanned(log, clientId, error.Message);
        }
    }

    [LoggerMessage(1, LogLevel.Warning, "Client {ClientId} is flapping, but could not be banned: {Reason}")]
    private static partial void LogNotBanned(ILogger log, string clientId, string reason);
}
