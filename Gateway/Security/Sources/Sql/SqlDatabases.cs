using System.Data.Common;
using MySqlConnector;
using Npgsql;

namespace Broker.Gateway.Security.Sources.Sql;

/// <summary>Opens pools of connections to the databases that operators name.</summary>
internal static class SqlDatabases
{
    public const int MySqlPort = 3306;
    public const int PostgreSqlPort = 5432;

    /// <summary>A command that takes too long ends with its connection: a server that does not answer would not answer a request to cancel either.</summary>
    private const int NoCancellation = -1;

    public static DbDataSource MySql(MySqlSourceOptions options)
    {
        var (host, port) = HostPort.Parse(options.Server, MySqlPort);
        return new MySqlDataSource(new MySqlConnectionStringBuilder
        {
            Server = host,
            Port = (uint)port,
            UserID = options.UserName,
            Password = options.ReadPassword(),
            Database = options.Database,
            MaximumPoolSize = (uint)options.PoolSize,
            ConnectionTimeout = Seconds(options),
            DefaultCommandTimeout = Seconds(options),
            CancellationTimeout = NoCancellation,
            SslMode = options.Tls switch
            {
                "verify" => MySqlSslMode.VerifyFull,
                "on" => MySqlSslMode.Required,
                _ => MySqlSslMode.Disabled,
            },
            SslCa = NullIfEmpty(options.CaFile),
            SslCert = NullIfEmpty(options.CertificateFile),
            SslKey = NullIfEmpty(options.KeyFile),
            AllowPublicKeyRetrieval = options.Tls == "off",
            ApplicationName = "broker",
        }.ConnectionString);
    }

    public static DbDataSource PostgreSql(PostgreSqlSourceOptions options)
    {
        var (host, port) = HostPort.Parse(options.Server, PostgreSqlPort);
        return NpgsqlDataSource.Create(new NpgsqlConnectionStringBuilder
        {
            Host = host,
            Port = port,
            Username = options.UserName,
            Password = options.ReadPassword(),
            Database = options.Database,
            MaxPoolSize = options.PoolSize,
            Timeout = (int)Seconds(options),
            CommandTimeout = (int)Seconds(options),
            CancellationTimeout = NoCancellation,
            SslMode = options.Tls switch
            {
                "verify" => SslMode.VerifyFull,
                "on" => SslMode.Require,
                _ => SslMode.Disable,
            },
            RootCertificate = NullIfEmpty(options.CaFile),
            SslCertificate = NullIfEmpty(options.CertificateFile),
            SslKey = NullIfEmpty(options.KeyFile),
            ApplicationName = "broker",
        }.ConnectionString);
    }

    private static uint Seconds(SqlOptions options) => (uint)Math.Ceiling(options.QueryTimeout.TotalSeconds);

    private static string? NullIfEmpty(string file) => file.Length == 0 ? null : file;
}
