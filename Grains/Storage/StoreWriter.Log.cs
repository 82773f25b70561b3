using Microsoft.Extensions.Logging;

namespace Broker.Grains.Storage;

internal sealed partial class StoreWriter
{
    [LoggerMessage(Level = LogLevel.Error, Message = "The store fails. New data is refused and removals wait until it recovers.")]
    private partial void LogFailing(Exception reason);

    [LoggerMessage(Level = LogLevel.Critical, Message = "This node was declared dead and may write nothing any more: its sessions are others' now. Restart it.")]
    private partial void LogFenced(Exception reason);

    [LoggerMessage(Level = LogLevel.Information, Message = "The store works again.")]
    private partial void LogRecovered();

    [LoggerMessage(Level = LogLevel.Error, Message = "An observer of store writes failed.")]
    private partial void LogObserverFailed(Exception error);

    [LoggerMessage(Level = LogLevel.Warning, Message = "The store did not close cleanly; nothing committed is lost.")]
    private partial void LogCloseFailed(Exception error);
}
