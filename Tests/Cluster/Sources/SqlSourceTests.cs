using Broker.Tests.Cluster.Harness;
using MySqlConnector;

namespace Broker.Tests.Cluster.Sources;

public sealed class MySqlSourceTests : SqlSourceContract
{
    private MariaDbServer server = null!;
    private string database = "";

    protected override string Section => "Security:MySql";

    protected override string SchemaFile => "mysql.sql";

    protected override int Port => server.Port;

    protected override (string User, string Password, string Database) Login => ("broker", "broker-test", database);

    protected override async Task CreateServerAsync()
    {
        server = await MariaDbServer.StartNewAsync();
        database = new MySqlConnectionStringBuilder(await server.CreateDatabaseAsync()).Database;
    }

    protected override Task ExecuteAsync(string sql) => server.ExecuteAsync(sql, database);

    protected override Task KillAsync() => server.KillAsync();

    protected override Task StartAsync() => server.StartAsync();

    protected override void Freeze() => server.Freeze();

    protected override void Thaw() => server.Thaw();

    protected override ValueTask RemoveAsync() => server.DisposeAsync();
}

public sealed class PostgreSqlSourceTests : SqlSourceContract
{
    private PostgreSqlServer server = null!;

    protected override string Section => "Security:PostgreSql";

    protected override string SchemaFile => "postgresql.sql";

    protected override int Port => server.Port;

    protected override (string User, string Password, string Database) Login => (PostgreSqlServer.User, PostgreSqlServer.Password, "postgres");

    protected override async Task CreateServerAsync() => server = await PostgreSqlServer.StartNewAsync();

    protected override Task ExecuteAsync(string sql) => server.ExecuteAsync(sql);

    protected override Task KillAsync() => server.KillAsync();

    protected override Task StartAsync() => server.StartAsync();

    protected override void Freeze() => server.Freeze();

    protected override void Thaw() => server.Thaw();

    protected override ValueTask RemoveAsync() => server.DisposeAsync();
}
