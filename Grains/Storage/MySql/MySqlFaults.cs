using System.Net.Sockets;
using MySqlConnector;

namespace Broker.Grains.Storage.MySql;

/// <summary>What an error of the server means to the store.</summary>
internal static class MySqlFaults
{
    /// <summary>Two transactions waited for each other and this one was undone; or another one just made the session that this one makes. Once more helps.</summary>
    public static bool IsRepeatable(MySqlException error) =>
        error.ErrorCode is MySqlErrorCode.LockDeadlock or MySqlErrorCode.LockWaitTimeout
        || (IsTaken(error) && error.Message.Contains("session_client", StringComparison.Ordinal));

    /// <summary>The row exists already.</summary>
    public static bool IsTaken(MySqlException error) => error.ErrorCode == MySqlErrorCode.DuplicateKeyEntry;

    /// <summary>The statement cannot be executed with these values. Everything else is an outage, the unexpected included:
    /// waiting loses nothing, dropping a write may.</summary>
    public static bool IsRefusal(MySqlException error) => error.ErrorCode is MySqlErrorCode.DuplicateKeyEntry or MySqlErrorCode.DataTooLong
        or MySqlErrorCode.WarningDataOutOfRange or MySqlErrorCode.TruncatedWrongValue or MySqlErrorCode.TruncatedWrongValueForField
        or MySqlErrorCode.ColumnCannotBeNull or MySqlErrorCode.TooBigRowSize;

    /// <summary>The server did not answer in time: trying again at once would only take as long again.</summary>
    public static bool IsTimeout(Exception error) =>
        error is MySqlException { ErrorCode: MySqlErrorCode.CommandTimeoutExpired } || error.InnerException is TimeoutException;

    /// <summary>The connection is lost. The driver does not wrap what the socket throws while it sends.</summary>
    public static bool IsLoss(Exception error) => error is IOException or SocketException or ObjectDisposedException;

    /// <summary>The text for logs: the server's words and number, never the connection string.</summary>
    public static string Describe(Exception error) => error is MySqlException server ? $"{server.Message} ({(int)server.ErrorCode})" : error.Message;

    /// <summary>The outage that an error is.</summary>
    public static StoreUnavailableException Outage(Exception error) => new("The database cannot be written: " + Describe(error), error);
}
