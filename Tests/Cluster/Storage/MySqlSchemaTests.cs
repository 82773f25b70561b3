using Broker.Grains.Interfaces.Delayed;
using Broker.Grains.Storage;
using Broker.Grains.Storage.MySql;
using Broker.Grains.Storage.Writes;
using Broker.Tests.Cluster.Harness;
using Broker.Tests.Unit;
using Broker.Tests.Unit.Grains.Storage;
using MySqlConnector;
using Xunit;

namespace Broker.Tests.Cluster.Storage;

public class MySqlSchemaTests
{
    private readonly MariaDbPlaces places = new();

    [Fact]
    public void FileIsWhatTheProgramRuns_WhenSchemaIsToBeMadeByHand()
    {
        if (Environment.GetEnvironmentVariable("UPDATE_SCHEMA") is not null) File.WriteAllText(Path.Combine(SourceTree.Root, MySqlSchema.ScriptName), MySqlSchema.Script());
        Assert.Equal(MySqlSchema.Script(), SourceTree.Text(MySqlSchema.ScriptName));
    }

    [Fact]
    public async Task OneMakesItAndAllStart_WhenSeveralOpenAnEmptyDatabaseAtOnce()
    {
        var place = await places.NewAsync();
        var stores = await Task.WhenAll(Enumerable.Range(0, 5).Select(_ => OpenAsync(place)));
        foreach (var (i, store) in stores.Index()) Assert.Equal(1, (await store.CreateAsync($"c{i}")).Epoch);
        Assert.Equal(1, places.Count(place, "schema_version"));
        Assert.Equal(5, MariaDbPlaces.Number(place, "SELECT CAST(value AS UNSIGNED) FROM setting WHERE name = 'store.starts'"));
        foreach (var store in stores) await store.DisposeAsync();
        Assert.Equal(0, places.Count(place, "node"));
    }

    [Fact]
    public async Task StartFailsAndNothingIsChanged_WhenSchemaIsNewer()
    {
        var place = await places.NewAsync();
        await (await OpenAsync(place)).DisposeAsync();
        MariaDbPlaces.Number(place, "UPDATE schema_version SET version = 99; SELECT 1");
        var error = await Assert.ThrowsAsync<StoreException>(() => OpenAsync(place));
        Assert.Contains("schema version 99", error.Message, StringComparison.Ordinal);
        Assert.Equal(99, MariaDbPlaces.Number(place, "SELECT version FROM schema_version"));
    }

    [Fact]
    public async Task OlderIsBroughtUpToDateOnce_WhenThereAreLaterSteps()
    {
        var place = await places.NewAsync();
        using var link = new MySqlLink(new MySqlOptions(place), pooled: false, TimeSpan.FromSeconds(1));
        MySqlSchema.Migrate(link, MySqlSchema.Steps);
        string[] longer = [.. MySqlSchema.Steps, "ALTER TABLE session ADD COLUMN added INT NOT NULL DEFAULT 3"];
        MySqlSchema.Migrate(link, longer);
        MySqlSchema.Migrate(link, longer);
        Assert.Equal(longer.Length, link.Number("SELECT version FROM schema_version"));
        Assert.Throws<StoreException>(() => MySqlSchema.Migrate(link, MySqlSchema.Steps));
    }

    [Fact]
    public async Task DelayedMessagesAreTaken_WhenDatabaseIsOfVersionTwo()
    {
        var place = await places.NewAsync();
        using (var link = new MySqlLink(new MySqlOptions(place), pooled: false, TimeSpan.FromSeconds(1))) MySqlSchema.Migrate(link, [.. MySqlSchema.Steps.Take(2)]);
        Assert.Equal(2, MariaDbPlaces.Number(place, "SELECT version FROM schema_version"));
        await using var test = await OpenAsync(place);
        Assert.True(await test.Store.WriteAsync(new SaveDelayed(new DelayedKey(1, 2, 3), new DelayedMessage(TestStore.Message(), 2, 1, null))));
        Assert.Equal(new DelayedState(1, 2, 3), await test.Store.ReadDelayedAsync(reader => reader.ReadState(1)));
    }

    [Fact]
    public async Task MessageNamesTheScriptAndItHelps_WhenUserMayNotCreateTables()
    {
        var server = await SharedMariaDb.ServerAsync();
        var place = await places.NewAsync();
        var database = new MySqlConnectionStringBuilder(place).Database;
        await server.ExecuteAsync($"CREATE USER 'poor_{database}'@'%' IDENTIFIED BY 'secret'; GRANT SELECT, INSERT, UPDATE, DELETE ON {database}.* TO 'poor_{database}'@'%'");
        var poor = server.ConnectionString(database, $"poor_{database}", "secret");
        var error = await Assert.ThrowsAsync<StoreException>(() => OpenAsync(poor));
        Assert.Contains(MySqlSchema.ScriptName, error.Message, StringComparison.Ordinal);
        await server.ExecuteAsync(SourceTree.Text(MySqlSchema.ScriptName), database);
        await server.ExecuteAsync(SourceTree.Text(MySqlSchema.ScriptName), database);
        await using var store = await OpenAsync(poor);
        Assert.Equal(1, (await store.CreateAsync("c")).Epoch);
    }

    [Fact]
    public async Task ErrorDoesNotTellThePassword_WhenServerRefusesIt()
    {
        var wrong = (await SharedMariaDb.ServerAsync()).ConnectionString("none", "nobody", "pa55word");
        var error = await Assert.ThrowsAsync<StoreException>(() => OpenAsync(wrong));
        Assert.DoesNotContain("pa55word", error.ToString(), StringComparison.Ordinal);
    }

    private Task<TestStore> OpenAsync(string place)
    {
        var node = TestStore.NewNode();
        return TestStore.OpenAsync(place, node, places.Database(place, node, TimeProvider.System), table => places.Count(place, table));
    }
}
