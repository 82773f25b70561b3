using System.Collections.Concurrent;
using System.Diagnostics;
using Broker.Grains.Interfaces.Messages;
using Broker.Grains.Storage;
using Broker.Grains.Storage.MySql;
using Broker.Grains.Storage.Writes;
using Broker.Tests.Cluster.Harness;
using Broker.Tests.Unit.Grains.Storage;
using MySqlConnector;
using Xunit;

namespace Broker.Tests.Cluster.Storage;

/// <summary>Servers that die, freeze or lose an answer: nothing reported as committed is missing, nothing reported as failed is there.</summary>
[Collection(BrokerProcessCollection.Name)]
public class MySqlOutageTests
{
    private static readonly StoreOptions Impatient = new() { FirstProbeDelay = TimeSpan.FromMilliseconds(50), MaxProbeDelay = TimeSpan.FromMilliseconds(200) };

    [Fact]
    public async Task NothingReportedIsMissing_WhenServerIsKilledUnderLoadAndStartedAgain()
    {
        await using var server = await MariaDbServer.StartNewAsync();
        var place = await server.CreateDatabaseAsync();
        await using var test = await OpenAsync(place, Impatient);
        var lease = await test.CreateAsync("c");
        ConcurrentDictionary<long, bool> stored = [];
        ConcurrentDictionary<long, StoreException> failed = [];
        long next = 0;
        async Task LoadAsync(Func<bool> isOver)
        {
            while (!isOver())
            {
                var sequence = Interlocked.Increment(ref next);
                Outcome outcome = new();
                test.Store.Submit(new WriteGroup(
                    new AppendToQueue(lease, sequence, TestStore.Message(payload: $"{sequence}"), Qos.ExactlyOnce), new AddReceipt(lease, (ushort)sequence, sequence))
                { Observer = outcome });
                var reason = await outcome.Task.WaitAsync(TimeSpan.FromSeconds(60));
                if (reason is null) stored[sequence] = true;
                else failed[sequence] = reason;
                if (reason is not null) await RecoverAsync(test);
            }
        }

        for (var round = 1; round <= 3; round++)
        {
            var before = stored.Count;
            var isOver = false;
            var load = Task.WhenAll(Enumerable.Range(0, 20).Select(_ => Task.Run(() => LoadAsync(() => Volatile.Read(ref isOver)))));
            await WaitAsync(() => stored.Count > before + 300, "load before the kill");
            await server.KillAsync();
            await server.StartAsync();
            var after = stored.Count;
            await WaitAsync(() => stored.Count > after + 300, "load after the kill");
            Volatile.Write(ref isOver, true);
            await load;
        }

        Assert.All(failed.Values, reason => Assert.IsType<StoreUnavailableException>(reason));
        var session = await test.OpenSessionAsync("c");
        Assert.Equal(stored.Keys.Order(), session.Queue.Select(entry => entry.Sequence));
        Assert.Equal(stored.Keys.Order(), session.Receipts.Select(receipt => receipt.Number).Order());
    }

    [Theory]
    [InlineData(true, true)]
    [InlineData(true, false)]
    [InlineData(false, true)]
    [InlineData(false, false)]
    public async Task EachWriteIsThereOnceAndReportedOnce_WhenTheAnswerToCommitIsLost(bool wasCommitted, bool isServerAway)
    {
        var server = await SharedMariaDb.ServerAsync();
        var place = await server.CreateDatabaseAsync();
        using MySqlProxy proxy = new(server.Port);
        var proxied = new MySqlConnectionStringBuilder(place) { Port = (uint)proxy.Port, SslMode = MySqlSslMode.None }.ToString();
        await using var test = await OpenAsync(proxied, Impatient);
        var lease = await test.CreateAsync("c");
        StoreJournal journal = new();
        var hold = await test.HoldAsync();
        proxy.Arm(wasCommitted ? MySqlProxy.Cut.After : MySqlProxy.Cut.Before, refuseAfter: isServerAway);
        for (var i = 1; i <= 3; i++) test.Store.Submit(new AppendToQueue(lease, i, TestStore.Message(), Qos.AtLeastOnce) { Observer = journal });
        test.Store.Submit(new RemoveFromQueue(lease, 77) { Observer = journal });
        hold.Release();
        if (isServerAway)
        {
            await WaitAsync(() => test.Store.Health == StoreHealth.Failing, "the outage");
            // In doubt is not failed.
            Assert.Empty(journal.Entries);
            proxy.Refuses = false;
        }

        await journal.ReachAsync(4);
        await proxy.WasCut.WaitAsync(TimeSpan.FromSeconds(10));
        Assert.All(journal.Entries, entry => Assert.Null(entry.Reason));
        await RecoverAsync(test);
        Assert.Equal([null], await test.WriteAsync(o => new AppendToQueue(lease, 4, TestStore.Message(), Qos.AtLeastOnce) { Observer = o }));
        Assert.Equal([1L, 2L, 3L, 4L], (await test.OpenSessionAsync("c")).Queue.Select(entry => entry.Sequence));
    }

    [Fact]
    public async Task OutageIsNoticedInTimeAndEnds_WhenServerIsFrozen()
    {
        await using var server = await MariaDbServer.StartNewAsync();
        var place = await server.CreateDatabaseAsync();
        await using var test = await OpenAsync(place, Impatient, new MySqlOptions(place) { CommandTimeout = TimeSpan.FromSeconds(1), ConnectTimeout = TimeSpan.FromSeconds(1) });
        var lease = await test.CreateAsync("c");
        Assert.Empty(await test.Store.ListDueAsync(1, 1));
        server.Freeze();
        try
        {
            var began = TimeProvider.System.GetTimestamp();
            Outcome outcome = new();
            test.Store.Submit(new AppendToQueue(lease, 1, TestStore.Message(), Qos.AtLeastOnce) { Observer = outcome });
            Assert.IsType<StoreUnavailableException>(await outcome.Task.WaitAsync(TimeSpan.FromSeconds(30)));
            Assert.InRange(TimeProvider.System.GetElapsedTime(began), TimeSpan.FromSeconds(0.9), TimeSpan.FromSeconds(8));
            await Assert.ThrowsAsync<StoreUnavailableException>(() => test.Store.ListDueAsync(1, 1));
        }
        finally
        {
            server.Thaw();
        }

        await RecoverAsync(test);
        Assert.Equal([null], await test.WriteAsync(o => new AppendToQueue(lease, 2, TestStore.Message(), Qos.AtLeastOnce) { Observer = o }));
        Assert.Equal([2L], (await test.OpenSessionAsync("c")).Queue.Select(entry => entry.Sequence));
    }

    [Fact]
    public async Task NobodyNotices_WhenAnIdleConnectionWasClosedByTheServer()
    {
        var server = await SharedMariaDb.ServerAsync();
        var place = await server.CreateDatabaseAsync();
        await using var test = await OpenAsync(place);
        var lease = await test.CreateAsync("c");
        var database = new MySqlConnectionStringBuilder(place).Database;
        var idle = $"SELECT id FROM information_schema.processlist WHERE db = '{database}' AND command = 'Sleep' LIMIT 1";
        long id = 0;
        for (var clock = Stopwatch.StartNew(); id == 0; id = MariaDbPlaces.Number(server.ConnectionString(), idle))
        {
            // The server has answered before it says that the connection is idle.
            Assert.InRange(clock.Elapsed, TimeSpan.Zero, TimeSpan.FromSeconds(10));
        }

        await server.ExecuteAsync($"KILL {id}");
        Assert.Equal([null], await test.WriteAsync(o => new AppendToQueue(lease, 1, TestStore.Message(), Qos.AtLeastOnce) { Observer = o }));
        Assert.Equal(StoreHealth.Healthy, test.Store.Health);
        Assert.Empty(test.Log.Lines);
    }

    [Fact]
    public async Task DataFailsAndRemovalsWait_WhenServerIsReadOnly()
    {
        await using var server = await MariaDbServer.StartNewAsync();
        var place = await server.CreateDatabaseAsync();
        var database = new MySqlConnectionStringBuilder(place).Database;
        await server.ExecuteAsync($"CREATE USER 'plain'@'%' IDENTIFIED BY 'plain'; GRANT ALL ON {database}.* TO 'plain'@'%'");
        await using var test = await OpenAsync(server.ConnectionString(database, "plain", "plain"), Impatient);
        var lease = await test.CreateAsync("c");
        Assert.Equal([null], await test.WriteAsync(o => new AppendToQueue(lease, 1, TestStore.Message(), Qos.AtLeastOnce) { Observer = o }));
        await server.ExecuteAsync("SET GLOBAL read_only = 1");
        StoreJournal data = new();
        StoreJournal removal = new();
        var hold = await HoldWhileReadOnlyAsync(test, lease, data, removal);
        Assert.IsType<StoreUnavailableException>(hold);
        Assert.Empty(removal.Entries);
        await server.ExecuteAsync("SET GLOBAL read_only = 0");
        await removal.ReachAsync(1);
        Assert.Null(removal.Entries.Single().Reason);
        await RecoverAsync(test);
        Assert.Equal(0, MariaDbPlaces.Number(place, "SELECT COUNT(*) FROM queue"));
    }

    private static async Task<StoreException?> HoldWhileReadOnlyAsync(TestStore test, SessionLease lease, StoreJournal data, StoreJournal removal)
    {
        test.Store.Submit(new AppendToQueue(lease, 2, TestStore.Message(), Qos.AtLeastOnce) { Observer = data });
        await data.ReachAsync(1);
        test.Store.Submit(new RemoveFromQueue(lease, 1) { Observer = removal });
        return data.Entries.Single().Reason;
    }

    private static Task<TestStore> OpenAsync(string place, StoreOptions? options = null, MySqlOptions? database = null)
    {
        var node = TestStore.NewNode();
        return TestStore.OpenAsync(
            place, node, new MySqlDatabase(database ?? new MySqlOptions(place), node, TestStore.Codec(), TimeProvider.System), _ => 0, options);
    }

    private static async Task RecoverAsync(TestStore test) => await WaitAsync(() => test.Store.Health == StoreHealth.Healthy, "recovery");

    private static async Task WaitAsync(Func<bool> condition, string what)
    {
        var began = TimeProvider.System.GetTimestamp();
        while (!condition())
        {
            if (TimeProvider.System.GetElapsedTime(began) > TimeSpan.FromSeconds(60)) Assert.Fail($"No {what} within 60 s.");
            await Task.Delay(5);
        }
    }

    private sealed class Outcome : IStoreObserver
    {
        private readonly TaskCompletionSource<StoreException?> outcome = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public Task<StoreException?> Task => outcome.Task;

        public void Committed(StoreWrite write) => outcome.SetResult(null);

        public void Failed(StoreWrite write, StoreException reason) => outcome.SetResult(reason);
    }
}
