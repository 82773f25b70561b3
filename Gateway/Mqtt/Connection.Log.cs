using Broker.Gateway.Links;
using Broker.Gateway.Mqtt.Packets;
using Broker.Grains.Interfaces.Messages;
using Broker.Grains.Interfaces.Metrics;
using Microsoft.Extensions.Logging;

namespace Broker.Gateway.Mqtt;

internal sealed partial class Connection
{
    /// <summary>A cluster that cannot answer is no fault of the program.</summary>
    private void LogError(Exception error)
    {
        if (GrainCalls.MayPass(error)) LogUnreachable(services.Log, Client?.ClientId, Number, error.Message);
        else LogFailed(services.Log, error, Client?.ClientId, Number);
    }

    /// <summary>Takes note of an answer that is larger than its client accepts, whatever is left out of it.</summary>
    /// <returns>The reason to end the connection with.</returns>
    public string NoteTooLarge(PacketType answer)
    {
        BrokerCounters.Add(Metric.PacketsTooLarge);
        LogTooLarge(services.Log, answer, Client?.ClientId, Number);
        return "answer is larger than the client accepts";
    }

    /// <summary>Something of ours failed: it costs this connection.</summary>
    public void Fail(Exception error)
    {
        LogError(error);
        var busy = Phase == ConnectionPhase.Connecting ? ReasonCode.ServerUnavailable : ReasonCode.ServerBusy;
        Disconnect(GrainCalls.MayPass(error) ? busy : ReasonCode.UnspecifiedError, "internal error");
    }

    /// <summary>What stands before MQTT has failed by the client's doing: PROXY header, TLS, WebSocket. Random bytes at such a port are ordinary.</summary>
    public void Abandon(Metric counter, string reason)
    {
        if (IsEnding) return;
        BrokerCounters.Add(counter);
        LogAbandoned(services.Log, Number, Peer.RemoteAddress, Peer.Listener.Name, reason);
        End(reason);
    }

    [LoggerMessage(4, LogLevel.Debug, "Connection {Connection} from {Address} at listener {Listener} is closed: {Reason}")]
    private static partial void LogAbandoned(ILogger log, ulong connection, System.Net.EndPoint? address, string listener, string reason);

    [LoggerMessage(1, LogLevel.Error, "Connection {Connection} of client {ClientId} failed.")]
    private static partial void LogFailed(ILogger log, Exception error, string? clientId, ulong connection);

    [LoggerMessage(2, LogLevel.Warning, "Connection {Connection} of client {ClientId}: the cluster did not answer: {Reason}")]
    private static partial void LogUnreachable(ILogger log, string? clientId, ulong connection, string reason);

    [LoggerMessage(3, LogLevel.Debug, "{Answer} is larger than client {ClientId} of connection {Connection} accepts.")]
    private static partial void LogTooLarge(ILogger log, PacketType answer, string? clientId, ulong connection);
}
