using System.Data.Common;
using MySqlConnector;
using Npgsql;

namespace Broker.Gateway.Security.Sources.Sql;

/// <summary>Opens pools of connections to the databases that operators name.</summary>
internal static class SqlDatabases
{
    private const int MySqlPort = 3306;
    private const int PostgreSqlPort = 5432;

    public static DbDataSource MySql(MySqlSourceOptions options)
    {
        var (host, port) = HostAndPort(options.Server, MySqlPort);
        return new MySqlDataSource(new MySqlConnectionStringBuilder
        {
            Server = host,
            Port = port,
            UserID = options.UserName,
            Password = options.ReadPassword(),
            Database = options.Database,
            MaximumPoolSize = (uint)options.PoolSize,
            ConnectionTimeout = Seconds(options),
            DefaultCommandTimeout = Seconds(options),
            SslMode = options.Tls switch
            {
                "verify" => MySqlSslMode.VerifyFull,
                "on" => MySqlSslMode.Required,
                _ => MySqlSslMode.Disabled,
            },
            SslCa = options.CaFile.Length == 0 ? null : options.CaFile,
            AllowPublicKeyRetrieval = options.Tls == "off",
            ApplicationName = "broker",
        }.ConnectionString);
    }

    public static DbDataSource PostgreSql(PostgreSqlSourceOptions options)
    {
        var (host, port) = HostAndPort(options.Server, PostgreSqlPort);
        return NpgsqlDataSource.Create(new NpgsqlConnectionStringBuilder
        {
            Host = host,
            Port = (int)port,
            Username = options.UserName,
            Password = options.ReadPassword(),
            Database = options.Database,
            MaxPoolSize = options.PoolSize,
            Timeout = (int)Seconds(options),
            CommandTimeout = (int)Seconds(options),
            SslMode = options.Tls switch
            {
                "verify" => SslMode.VerifyFull,
                "on" => SslMode.Require,
                _ => SslMode.Disable,
            },
            RootCertificate = options.CaFile.Length == 0 ? null : options.CaFile,
            ApplicationName = "broker",
        }.ConnectionString);
    }

    private static uint Seconds(SqlOptions options) => (uint)Math.Ceiling(options.QueryTimeout.TotalSeconds);

    private static (string Host, uint Port) HostAndPort(string server, int usual) =>
        System.Net.IPEndPoint.TryParse(server, out var endpoint) && endpoint.Port > 0 ? (endpoint.Address.ToString(), (uint)endpoint.Port)
        : server.LastIndexOf(':') is > 0 and var colon && server.IndexOf(':', StringComparison.Ordinal) == colon && uint.TryParse(server.AsSpan(colon + 1), out var port) ? (server[..colon], port)
        : (server, (uint)usual);
}
