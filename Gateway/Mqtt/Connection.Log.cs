using Microsoft.Extensions.Logging;

namespace Broker.Gateway.Mqtt;

internal sealed partial class Connection
{
    [LoggerMessage(1, LogLevel.Error, "Connection {Connection} of client {ClientId} failed.")]
    private static partial void LogFailed(ILogger log, Exception error, string? clientId, ulong connection);
}
