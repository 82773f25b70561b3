using Microsoft.Extensions.Logging;

namespace Broker.Grains.Storage.Sqlite;

internal sealed partial class SqliteDatabase
{
    [LoggerMessage(Level = LogLevel.Error, Message = "The database {Path} is damaged. It was moved to {Aside} and the store starts empty.")]
    private partial void LogSetAside(string path, string aside, Exception reason);
}
