using Broker.Tests.Cluster.Harness;
using Broker.Tests.Cluster.Storage;
using Xunit;

namespace Broker.Tests.Cluster;

/// <summary>Brokers on a MariaDB database as an operator sets them up.</summary>
public class SharedDatabaseTests
{
    [Fact]
    public async Task SessionAndRetainedMessageAreThere_WhenBrokerIsStoppedAndStarted()
    {
        await using var broker = await StartAsync(await SharedMariaDb.CreateDatabaseAsync());
        var options = new ConnectOptions("c");
        using (var client = await WireClient.ConnectAsync(await broker.Ready, options))
        {
            await client.SubscribeAsync("t", 1);
            await client.DisconnectAsync();
        }

        using (var publisher = await WireClient.ConnectAsync(await broker.Ready, new ConnectOptions("p") { CleanStart = true }))
        {
            publisher.Publish("t", "7", qos: 1, identifier: 1, retain: true);
            await publisher.FlushAsync();
            await publisher.ReadAsync(WirePacket.Puback);
        }

        Assert.Equal(0, (await broker.TerminateAsync()).Code);
        Assert.Empty(broker.Errors());
        Assert.False(File.Exists(broker.DatabasePath));
        await broker.StartAsync();
        using var again = await WireClient.ConnectAsync(await broker.Ready, options);
        Assert.True(again.Connack.SessionPresent);
        Assert.Equal("7", (await again.ReadAsync(WirePacket.Publish)).Payload);
        using var other = await WireClient.ConnectAsync(await broker.Ready, new ConnectOptions("other") { CleanStart = true });
        await other.SubscribeAsync("t", 0);
        Assert.True((await other.ReadAsync(WirePacket.Publish)).IsRetained);
    }

    [Fact]
    public async Task BothAreMembers_WhenTwoBrokersHaveOneDatabase()
    {
        var place = await SharedMariaDb.CreateDatabaseAsync();
        await using var one = await StartAsync(place);
        await using var two = await StartAsync(place);
        Assert.Equal(2, MariaDbPlaces.Number(place, "SELECT COUNT(*) FROM OrleansMembershipTable WHERE Status = 3"));
        Assert.Equal(2, MariaDbPlaces.Number(place, "SELECT COUNT(*) FROM node WHERE fenced = 0"));
        Assert.Equal(0, (await two.TerminateAsync()).Code);
        Assert.Equal(1, MariaDbPlaces.Number(place, "SELECT COUNT(*) FROM OrleansMembershipTable WHERE Status = 3"));
        Assert.Empty(one.Errors());
    }

    [Fact]
    public async Task PasswordIsTakenFromItsFileAndNotTold_WhenItIsWrongOrRight()
    {
        var place = await SharedMariaDb.CreateDatabaseAsync();
        var password = new MySqlConnector.MySqlConnectionStringBuilder(place).Password;
        var file = Path.GetTempFileName();
        try
        {
            await using var broker = new BrokerProcess().Set("Cluster:ConnectionString", place.Replace(password, "wr0ng", StringComparison.Ordinal)).Set("Cluster:PasswordFile", file);
            await File.WriteAllTextAsync(file, "als0wrong\n");
            broker.Launch();
            Assert.NotEqual(0, await broker.EndAsync());
            Assert.DoesNotContain("wr0ng", broker.AllOutput, StringComparison.Ordinal);
            Assert.DoesNotContain("als0wrong", broker.AllOutput, StringComparison.Ordinal);
            Assert.Contains("Access denied", broker.AllOutput, StringComparison.Ordinal);
            await File.WriteAllTextAsync(file, password + "\n");
            await broker.StartAsync();
            Assert.DoesNotContain(password, broker.AllOutput, StringComparison.Ordinal);
        }
        finally
        {
            File.Delete(file);
        }
    }

    [Theory]
    [InlineData("Server=db;Database=broker;Passwd=se;cret=1", "Cluster:ConnectionString")]
    [InlineData("Server=127.0.0.1;User ID=secret", "no Database")]
    [InlineData("secret", "Cluster:ConnectionString")]
    [InlineData("Server=127.0.0.1;Database=secret", "Cluster:PasswordFile = '/no/such/file'", "/no/such/file")]
    public async Task StartIsRefusedInPlainWords_WhenSettingsAreWrong(string connection, string said, string? file = null)
    {
        await using var broker = new BrokerProcess().Set("Cluster:ConnectionString", connection);
        if (file is not null) broker.Set("Cluster:PasswordFile", file);
        broker.Launch();
        Assert.NotEqual(0, await broker.EndAsync());
        Assert.Contains(said, broker.AllOutput, StringComparison.Ordinal);
        Assert.DoesNotContain("secret", broker.AllOutput, StringComparison.Ordinal);
        Assert.DoesNotContain("   at ", broker.AllOutput, StringComparison.Ordinal);
    }

    private static async Task<BrokerProcess> StartAsync(string place) => await BrokerProcess.StartNewAsync(settings: [("Cluster:ConnectionString", place), ("Cluster:Address", "127.0.0.1")]);
}
