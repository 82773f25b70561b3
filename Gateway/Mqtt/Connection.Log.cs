using Broker.Gateway.Links;
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

    [LoggerMessage(1, LogLevel.Error, "Connection {Connection} of client {ClientId} failed.")]
    private static partial void LogFailed(ILogger log, Exception error, string? clientId, ulong connection);

    [LoggerMessage(2, LogLevel.Warning, "Connection {Connection} of client {ClientId}: the cluster did not answer: {Reason}")]
    private static partial void LogUnreachable(ILogger log, string? clientId, ulong connection, string reason);
}
