using Broker.Grains.Interfaces.Messages;
using Broker.Grains.Storage;
using Broker.Grains.Storage.MySql;
using Broker.Grains.Storage.Writes;
using Broker.Tests.Unit.Grains.Storage;
using MySqlConnector;
using Xunit;

namespace Broker.Tests.Cluster.Storage;

/// <summary>Two nodes on one database, in each other's way.</summary>
public class MySqlNodesTests
{
    private readonly MariaDbPlaces places = new();

    [Fact]
    public async Task FenceWaitsForTheRunningCommit_WhenOneRuns()
    {
        var place = await places.NewAsync();
        await using var dead = await OpenAsync(place);
        await using var live = await OpenAsync(place);
        var lease = await dead.CreateAsync("c");
        await using var other = await LockAsync(place, "SELECT * FROM session FOR UPDATE");
        var running = dead.WriteAsync(o => Append(lease, 1, o));
        await WaitingAsync(place, 1);
        var fencing = live.Store.FenceAsync(dead.Node);
        await WaitingAsync(place, 2);
        await other.DisposeAsync();
        Assert.Equal([null], await running);
        await fencing.WaitAsync(TimeSpan.FromSeconds(20));
        Assert.IsType<NodeFencedException>(Assert.Single(await dead.WriteAsync(o => Append(lease, 2, o))));
        Assert.Equal([1L], (await live.OpenSessionAsync("c")).Queue.Select(entry => entry.Sequence));
    }

    [Fact]
    public async Task OpeningWaitsForTheRunningCommitAndSeesIt_WhenAnotherNodeWritesTheSession()
    {
        var place = await places.NewAsync();
        await using var one = await OpenAsync(place);
        await using var two = await OpenAsync(place);
        var lease = await one.CreateAsync("c");
        // The row below keeps the first node's batch inside its transaction, after it has the session.
        await one.WriteAsync(o => new SaveRetained(0, TestStore.Message("held")) { Observer = o });
        await using var other = await LockAsync(place, "SELECT * FROM retained FOR UPDATE");
        var running = one.WriteAsync(o => Append(lease, 1, o), o => new SaveRetained(0, TestStore.Message("held")) { Observer = o });
        await WaitingAsync(place, 1);
        var opening = two.OpenSessionAsync("c");
        await WaitingAsync(place, 2);
        await other.DisposeAsync();
        Assert.Equal([null, null], await running);
        var session = await opening;
        Assert.Equal([1L], session.Queue.Select(entry => entry.Sequence));
        Assert.IsType<SessionFencedException>(Assert.Single(await one.WriteAsync(o => Append(lease, 2, o))));
    }

    [Fact]
    public async Task FenceSucceeds_WhenTheNodeStandsStillInsideItsTransaction()
    {
        var place = await places.NewAsync();
        await using var live = await OpenAsync(place);
        var options = new MySqlOptions(place) { IdleLimit = TimeSpan.FromSeconds(1) };
        // What a frozen process leaves: an open transaction that holds its node's row.
        using var frozen = new MySqlLink(options, pooled: false, options.LockWait);
        frozen.Execute("INSERT INTO node (name, fenced, commit_number) VALUES ('frozen', 0, 0)");
        frozen.Execute("START TRANSACTION; UPDATE node SET commit_number = 1 WHERE name = 'frozen'");
        await live.Store.FenceAsync("frozen").WaitAsync(TimeSpan.FromSeconds(30));
        Assert.Equal(1, MariaDbPlaces.Number(place, "SELECT fenced FROM node WHERE name = 'frozen' AND commit_number = 0"));
        Assert.ThrowsAny<Exception>(() => frozen.Execute("COMMIT"));
    }

    [Fact]
    public async Task OneOfThemWins_WhenTwoFenceEachOtherUnderLoad()
    {
        for (var round = 0; round < 5; round++)
        {
            var place = await places.NewAsync();
            await using var one = await OpenAsync(place);
            await using var two = await OpenAsync(place);
            var (first, second) = (await one.CreateAsync("one"), await two.CreateAsync("two"));
            StoreJournal journal = new();
            for (var i = 1; i <= 500; i++)
            {
                one.Store.Submit(Append(first, i, journal));
                two.Store.Submit(Append(second, i, journal));
            }

            var outcomes = await Task.WhenAll(TryAsync(one.Store.FenceAsync(two.Node)), TryAsync(two.Store.FenceAsync(one.Node)));
            await journal.ReachAsync(1_000);
            Assert.Single(outcomes, error => error is null);
            Assert.Single(outcomes, error => error is NodeFencedException);
            Assert.Equal(journal.Entries.Count(entry => entry.Reason is null), places.Count(place, "queue"));
        }
    }

    [Fact]
    public async Task AllIsWritten_WhenTwoNodesLockTheSameRowsInOppositeOrder()
    {
        var place = await places.NewAsync();
        await using var one = await OpenAsync(place, new StoreOptions { MaxBatchWrites = 200 });
        await using var two = await OpenAsync(place, new StoreOptions { MaxBatchWrites = 200 });
        StoreJournal journal = new();
        for (var round = 0; round < 50; round++)
        {
            for (var i = 0; i < 200; i++)
            {
                one.Store.Submit(new SaveRetained(0, TestStore.Message($"t/{i}", $"{round}")) { Observer = journal });
                two.Store.Submit(new SaveRetained(0, TestStore.Message($"t/{199 - i}", $"{round}")) { Observer = journal });
            }
        }

        await journal.ReachAsync(20_000);
        Assert.All(journal.Entries, entry => Assert.Null(entry.Reason));
        Assert.Equal(200, places.Count(place, "retained"));
        Assert.Equal((StoreHealth.Healthy, StoreHealth.Healthy), (one.Store.Health, two.Store.Health));
    }

    [Fact]
    public async Task EveryClientHasOneSession_WhenTwoNodesOpenTheSameNewOnesAtOnce()
    {
        var place = await places.NewAsync();
        await using var one = await OpenAsync(place);
        await using var two = await OpenAsync(place);
        var opened = await Task.WhenAll(Enumerable.Range(0, 500).SelectMany(i => new[] { one.OpenSessionAsync($"c{i}"), two.OpenSessionAsync($"c{i % 250 * 2}") }));
        Assert.Equal(500, places.Count(place, "session"));
        Assert.Equal(500, opened.Count(session => session.IsNew));
        Assert.Equal(opened.Length, opened.Select(session => session.Lease).Distinct().Count());
    }

    [Fact]
    public async Task BodyGoesWithItsLastEntry_WhenTwoNodesRemoveTheLastTwoAtOnce()
    {
        var place = await places.NewAsync();
        await using var one = await OpenAsync(place);
        await using var two = await OpenAsync(place);
        var leases = (await one.CreateAsync("one"), await one.CreateAsync("two"));
        StoreJournal journal = new();
        for (var i = 1; i <= 300; i++)
        {
            var body = new SharedBody(TestStore.Message());
            one.Store.Submit(new AppendToQueue(leases.Item1, i, body, Qos.AtLeastOnce) { Observer = journal });
            one.Store.Submit(new AppendToQueue(leases.Item2, i, body, Qos.AtLeastOnce) { Observer = journal });
        }

        await journal.ReachAsync(600);
        var (first, second) = (await one.OpenSessionAsync("one"), await two.OpenSessionAsync("two"));
        for (var i = 0; i < 300; i++)
        {
            one.Store.Submit(new RemoveFromQueue(first.Lease, i + 1, first.Queue[i].Shared) { Observer = journal });
            two.Store.Submit(new RemoveFromQueue(second.Lease, i + 1, second.Queue[i].Shared) { Observer = journal });
        }

        await journal.ReachAsync(600);
        Assert.All(journal.Entries, entry => Assert.Null(entry.Reason));
        Assert.Equal((0, 0), (places.Count(place, "queue"), places.Count(place, "body")));
    }

    [Fact]
    public async Task OnlyTheLargeOneIsRefused_WhenServerDoesNotTakeSoMuch()
    {
        var place = await places.NewAsync();
        await using var test = await OpenAsync(place);
        var lease = await test.CreateAsync("c");
        var outcomes = await test.WriteAsync(
            o => Append(lease, 1, o),
            o => new AppendToQueue(lease, 2, TestStore.Message(payload: new string('\'', 12_000_000)), Qos.AtLeastOnce) { Observer = o },
            o => new AppendToQueue(lease, 3, TestStore.Message(payload: new string('x', 12_000_000)), Qos.AtLeastOnce) { Observer = o });
        Assert.Equal([null, typeof(StoreException), null], outcomes.Select(reason => reason?.GetType()));
        Assert.Equal([7, 12_000_000], (await test.OpenSessionAsync("c")).Queue.Select(entry => entry.Message.Payload.Length));
    }

    [Fact]
    public async Task RemovalsAreReadByKey_WhenTheyAreManyPairs()
    {
        var place = await places.NewAsync();
        await using var test = await OpenAsync(place);
        var lease = await test.CreateAsync("c");
        StoreJournal journal = new();
        for (var i = 1; i <= 5_000; i++) test.Store.Submit(Append(lease, i, journal));
        await journal.ReachAsync(5_000);
        await using MySqlConnection connection = new(place);
        await connection.OpenAsync();
        await using var command = connection.CreateCommand();
        command.CommandText = "EXPLAIN DELETE FROM queue WHERE (session_key, sequence) IN (" + string.Join(",", Enumerable.Range(1, 900).Select(i => $"({lease.Key},{i})")) + ")";
        await using var reader = await command.ExecuteReaderAsync();
        Assert.True(await reader.ReadAsync());
        Assert.Equal(("range", "PRIMARY"), (reader["type"], reader["key"]));
    }

    private Task<TestStore> OpenAsync(string place, StoreOptions? options = null)
    {
        var node = TestStore.NewNode();
        return TestStore.OpenAsync(place, node, places.Database(place, node, TimeProvider.System), table => places.Count(place, table), options);
    }

    private static async Task<Exception?> TryAsync(Task task)
    {
        try
        {
            await task;
            return null;
        }
        catch (StoreException error)
        {
            return error;
        }
    }

    /// <summary>Holds row locks until it is disposed.</summary>
    private static async Task<MySqlConnection> LockAsync(string place, string sql)
    {
        MySqlConnection connection = new(place + ";Pooling=false");
        await connection.OpenAsync();
        await using var command = connection.CreateCommand();
#pragma warning disable CA2100 // written in the tests
        command.CommandText = "START TRANSACTION; " + sql;
#pragma warning restore CA2100
        await command.ExecuteNonQueryAsync();
        return connection;
    }

    /// <summary>Waits until so many statements of the database wait for a lock.</summary>
    private static async Task WaitingAsync(string place, int count)
    {
        var database = new MySqlConnectionStringBuilder(place).Database;
        var began = TimeProvider.System.GetTimestamp();
        while (MariaDbPlaces.Number(place, $"""
            SELECT COUNT(*) FROM information_schema.innodb_trx JOIN information_schema.processlist ON id = trx_mysql_thread_id
            WHERE trx_state = 'LOCK WAIT' AND db = '{database}'
            """) < count)
        {
            Assert.True(TimeProvider.System.GetElapsedTime(began) < TimeSpan.FromSeconds(3), $"Not {count} statements wait for a lock.");
            await Task.Delay(120); // the table is made anew only if nobody has read it for 0.1 s
        }
    }

    private static AppendToQueue Append(SessionLease lease, long sequence, IStoreObserver observer) =>
        new(lease, sequence, TestStore.Message(), Qos.AtLeastOnce) { Observer = observer };
}
