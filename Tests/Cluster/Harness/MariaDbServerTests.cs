using MySqlConnector;
using Xunit;

namespace Broker.Tests.Cluster.Harness;

public class MariaDbServerTests
{
    [Fact]
    public async Task DataIsThere_WhenServerWasKilledAndStarted()
    {
        await using var server = await MariaDbServer.StartNewAsync();
        var database = new MySqlConnectionStringBuilder(await server.CreateDatabaseAsync()).Database;
        await server.ExecuteAsync("CREATE TABLE t (n INT PRIMARY KEY); INSERT INTO t VALUES (1)", database);
        await server.KillAsync();
        await Assert.ThrowsAsync<MySqlException>(() => server.ExecuteAsync("DO 1"));
        await server.StartAsync();
        await Assert.ThrowsAsync<MySqlException>(() => server.ExecuteAsync("INSERT INTO t VALUES (1)", database));
        await server.StopAsync();
        Assert.True(Directory.Exists(server.DataDirectory));
        await server.DisposeAsync();
        Assert.False(Directory.Exists(server.DataDirectory));
    }
}
