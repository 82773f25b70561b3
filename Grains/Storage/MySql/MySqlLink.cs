using System.Globalization;
using MySqlConnector;

namespace Broker.Grains.Storage.MySql;

/// <summary>An open connection, set up as the store needs it. One thread at a time.</summary>
internal sealed class MySqlLink : IDisposable
{
    private readonly MySqlConnection connection;
    private readonly int timeoutSeconds;

    /// <param name="options">Which database.</param>
    /// <param name="pooled">Whether the connection comes from the pool and goes back there.</param>
    /// <param name="lockWait">How long a statement waits for a row lock.</param>
    public MySqlLink(MySqlOptions options, bool pooled, TimeSpan lockWait)
    {
        timeoutSeconds = Seconds(options.CommandTimeout);
        connection = new MySqlConnection(options.Complete(pooled));
        try
        {
            connection.Open();
            // wait_timeout counts inside a transaction too: a node that stands still lets go of its locks.
            var idle = Seconds(options.IdleLimit);
            Execute(string.Create(CultureInfo.InvariantCulture, $"""
                SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED;
                SET SESSION sql_mode = 'STRICT_ALL_TABLES,NO_ENGINE_SUBSTITUTION',
                    innodb_lock_wait_timeout = {Seconds(lockWait)}, net_read_timeout = {idle}, net_write_timeout = {idle}{(pooled ? "" : $", wait_timeout = {idle}")}
                """));
        }
        catch
        {
            connection.Dispose();
            throw;
        }
    }

    /// <summary>The database's name.</summary>
    public string Database => connection.Database;

    /// <summary>False once the connection is lost.</summary>
    public bool IsOpen => connection.State == System.Data.ConnectionState.Open;

    /// <summary>Runs statements.</summary>
    public void Execute(string sql, TimeSpan? timeout = null)
    {
        using var command = Command(sql, timeout);
        command.ExecuteNonQuery();
    }

    /// <summary>Runs what was built, clears it and reads what comes.</summary>
    public MySqlDataReader Query(SqlText sql)
    {
        using var command = Command(sql.Text);
        foreach (var parameter in sql.Parameters) command.Parameters.Add(parameter);
        sql.Clear();
        return command.ExecuteReader();
    }

    /// <summary>The first column of the first row; null if there is none.</summary>
    public long? Number(string sql, TimeSpan? timeout = null)
    {
        using var command = Command(sql, timeout);
        return command.ExecuteScalar() is { } value and not DBNull ? Convert.ToInt64(value, CultureInfo.InvariantCulture) : null;
    }

    /// <inheritdoc/>
    public void Dispose() => connection.Dispose();

    private MySqlCommand Command(string sql, TimeSpan? timeout = null)
    {
        var command = connection.CreateCommand();
#pragma warning disable CA2100 // built of constants, numbers and hexadecimal text
        command.CommandText = sql;
#pragma warning restore CA2100
        command.CommandTimeout = timeout is { } other ? Seconds(other) : timeoutSeconds;
        return command;
    }

    private static int Seconds(TimeSpan time) => time == Timeout.InfiniteTimeSpan ? 0 : (int)Math.Max(1, Math.Ceiling(time.TotalSeconds));
}
