using Broker.Gateway.Links;
using Broker.Gateway.Mqtt.Packets;
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

    [LoggerMessage(1, LogLevel.Error, "Connection {Connection} of client {ClientId} failed.")]
    private static partial void LogFailed(ILogger log, Exception error, string? clientId, ulong connection);

    [LoggerMessage(2, LogLevel.Warning, "Connection {Connection} of client {ClientId}: the cluster did not answer: {Reason}")]
    private static partial void LogUnreachable(ILogger log, string? clientId, ulong connection, string reason);

    [LoggerMessage(3, LogLevel.Debug, "{Answer} is larger than client {ClientId} of connection {Connection} accepts.")]
    private static partial void LogTooLarge(ILogger log, PacketType answer, string? clientId, ulong connection);
}
