using MySqlConnector;

namespace Broker.Grains.Storage.MySql;

/// <summary>Which database, and how long to wait for it.</summary>
/// <param name="ConnectionString">Server, database, user and password; the database exists.</param>
internal sealed record MySqlOptions(string ConnectionString)
{
    /// <summary>Longest wait for one command, above which the server counts as failing. Default 10 s: a disk under load answers later than a network does.</summary>
    public TimeSpan CommandTimeout { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>Longest wait for a new connection. Default 5 s.</summary>
    public TimeSpan ConnectTimeout { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>Longest wait for another node's row lock before a batch is tried again. Default 4 s, well below <see cref="CommandTimeout"/>.</summary>
    public TimeSpan LockWait { get; init; } = TimeSpan.FromSeconds(4);

    /// <summary>Idle time after which the server ends the writing connection, inside a transaction too: a frozen node then lets go of its row locks.
    /// Default 10 s; the next batch connects again.</summary>
    public TimeSpan IdleLimit { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>The largest body written as text into a statement; larger ones are parameters. Default 4 KB.</summary>
    public int LargestInlineBytes { get; init; } = 4 * 1024;

    /// <summary>How much SQL goes in one command at most, if the server takes so much. Default 1 million characters: some 4,000 small messages.</summary>
    public int CommandLength { get; init; } = 1_000_000;

    /// <summary>The connection string with what the store relies on.</summary>
    /// <param name="pooled">False for the writing connection, which is its own.</param>
    public string Complete(bool pooled) => new MySqlConnectionStringBuilder(ConnectionString)
    {
        Pooling = pooled,
        ConnectionTimeout = (uint)Math.Max(1, ConnectTimeout.TotalSeconds),
        DefaultCommandTimeout = (uint)Math.Max(1, CommandTimeout.TotalSeconds),
        CharacterSet = "utf8mb4",
        GuidFormat = MySqlGuidFormat.None,
        TreatTinyAsBoolean = false,
        UseAffectedRows = false,
        AllowUserVariables = false,
        AllowLoadLocalInfile = false,
        AutoEnlist = false,
    }.ToString();

    /// <summary>Leaves the connection string out.</summary>
    public override string ToString() => nameof(MySqlOptions);
}
