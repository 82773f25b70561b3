using System.Diagnostics;
using Broker.Grains.Interfaces.Messages;
using Broker.Grains.Interfaces.Topics;
using Broker.Grains.Storage;
using Broker.Grains.Storage.Writes;
using Microsoft.Data.Sqlite;
using Microsoft.Extensions.Logging;
using Xunit;

namespace Broker.Tests.Unit.Grains.Storage;

public class OutageTests
{
    private static readonly TimeSpan Second = TimeSpan.FromSeconds(1);

    [Fact]
    public async Task DataFailsAndRemovalsWait_WhenAnotherProcessHoldsTheLock()
    {
        ManualClock clock = new();
        await using var test = await TestStore.OpenAsync(clock: clock, configure: options => options.BusyTimeout = TimeSpan.FromMilliseconds(1));
        List<StoreHealth> seen = [];
        test.Store.HealthChanged += seen.Add;
        var lease = await test.CreateAsync("c");
        await test.WriteAsync(o => Append(lease, 1, o), o => Append(lease, 2, o));
        StoreJournal data = new();
        StoreJournal removals = new();
        var hold = await test.HoldAsync();
        using SqliteConnection other = new($"Data Source={test.Place};Pooling=False");
        other.Open();
        Execute(other, "BEGIN IMMEDIATE");
        var cancelled = Append(lease, 3, data);
        test.Store.Submit(cancelled);
        test.Store.Submit(Append(lease, 4, data));
        test.Store.Submit(new RemoveFromQueue(lease, 1) { Observer = removals });
        Assert.True(cancelled.TryCancel());
        hold.Release();
        await clock.TimerSetAsync();
        Assert.Equal(StoreHealth.Failing, test.Store.Health);
        test.Store.Submit(Append(lease, 5, data));
        Assert.Equal([null, typeof(StoreUnavailableException), typeof(StoreUnavailableException)], data.Entries.Select(entry => entry.Reason?.GetType()));
        await Assert.ThrowsAsync<StoreUnavailableException>(() => test.Store.OpenSessionAsync("c"));
        test.Store.Submit(new RemoveFromQueue(lease, 2) { Observer = removals });
        clock.Advance(Second);
        await clock.TimerSetAsync();
        Assert.Empty(removals.Entries);

        Execute(other, "ROLLBACK");
        clock.Advance(Second);
        Assert.Empty(removals.Entries);
        clock.Advance(Second);
        await removals.ReachAsync(2);
        Assert.All(removals.Entries, entry => Assert.Null(entry.Reason));
        Assert.Equal(0, test.Count("queue"));
        await RecoverAsync(test);
        Assert.Equal([StoreHealth.Failing, StoreHealth.Healthy], seen);
        Assert.Equal([LogLevel.Error, LogLevel.Information], test.Log.Lines.Select(line => line.Level));
        Assert.Equal([null], await test.WriteAsync(o => Append(lease, 6, o)));
    }

    [Fact]
    public async Task RemovalsMakeRoom_WhenFileMayNotGrow()
    {
        ManualClock clock = new();
        await using var test = await TestStore.OpenAsync(clock: clock, configure: options => options.MaxPages = 400);
        StoreJournal journal = new();
        var stored = 0;
        while (test.Store.Health == StoreHealth.Healthy)
        {
            test.Store.Submit(new SaveRetained(0, TestStore.Message($"t/{stored}", new string('x', 20_000))) { Observer = journal });
            await journal.ReachAsync(1);
            if (journal.Entries.Last().Reason is not null) break;
            stored++;
        }

        Assert.InRange(stored, 10, 100);
        Assert.IsType<StoreUnavailableException>(journal.Entries.Last().Reason);
        Assert.Equal(stored, test.Count("retained"));
        for (var i = 0; i < stored / 2; i++) test.Store.Submit(new RemoveRetained(TopicName.Parse($"t/{i}")) { Observer = journal });
        await clock.TimerSetAsync();
        clock.Advance(Second);
        await journal.ReachAsync(stored / 2);
        await RecoverAsync(test);
        Assert.Equal([null], await test.WriteAsync(o => new SaveRetained(0, TestStore.Message("new")) { Observer = o }));
        Assert.Equal(stored - (stored / 2) + 1, test.Count("retained"));
    }

    [Fact]
    public async Task NothingCommittedIsLost_WhenTheDiskIsFull()
    {
        var folder = TestStore.NewFolder();
        if (!Environment.IsPrivilegedProcess || !await RunAsync("mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", folder)) Assert.Skip("A small file system cannot be mounted here.");
        try
        {
            ManualClock clock = new();
            var path = Path.Combine(folder, "broker.db");
            File.WriteAllBytes(Path.Combine(folder, "filler"), new byte[1024 * 1024]);
            long last = 0;
            await using (var test = await TestStore.OpenAsync(path, clock: clock))
            {
                var lease = await test.CreateAsync("c");
                StoreJournal journal = new();
                do
                {
                    test.Store.Submit(new AppendToQueue(lease, ++last, TestStore.Message(payload: new string('x', 10_000)), Qos.AtLeastOnce) { Observer = journal });
                    await journal.ReachAsync(1);
                }
                while (journal.Entries.Last().Reason is null);

                Assert.Equal(last - 1, test.Count("queue"));
                File.Delete(Path.Combine(folder, "filler"));
                await clock.TimerSetAsync();
                clock.Advance(Second);
                await RecoverAsync(test);
                Assert.Equal([null], await test.WriteAsync(o => Append(lease, last, o)));
            }

            await using var again = await TestStore.OpenAsync(path);
            Assert.Equal(last, (await again.OpenSessionAsync("c")).Queue.Count);
        }
        finally
        {
            await RunAsync("umount", folder);
        }
    }

    [Fact]
    public async Task OthersAreReported_WhenAnObserverThrows()
    {
        await using var test = await TestStore.OpenAsync();
        var outcomes = test.WriteAsync(o => new RemoveRetained(TopicName.Parse("a")) { Observer = o });
        test.Store.Submit(new RemoveRetained(TopicName.Parse("a")) { Observer = new Thrower() });
        await outcomes;
        Assert.Equal([null], await test.WriteAsync(o => new RemoveRetained(TopicName.Parse("a")) { Observer = o }));
        Assert.Equal(LogLevel.Error, Assert.Single(test.Log.Lines).Level);
    }

    [Fact]
    public async Task WritesFailAtOnce_WhenStoreIsClosed()
    {
        var test = await TestStore.OpenAsync();
        await test.DisposeAsync();
        StoreJournal journal = new();
        test.Store.Submit(new RemoveRetained(TopicName.Parse("a")) { Observer = journal });
        Assert.IsType<StoreUnavailableException>(Assert.Single(journal.Entries).Reason);
    }

    private static async Task RecoverAsync(TestStore test)
    {
        if (test.Store.Health == StoreHealth.Healthy) return;
        TaskCompletionSource healthy = new();
        test.Store.HealthChanged += _ => healthy.TrySetResult();
        if (test.Store.Health != StoreHealth.Healthy) await healthy.Task.WaitAsync(TimeSpan.FromSeconds(30));
    }

    private static void Execute(SqliteConnection connection, string sql)
    {
        using var command = connection.CreateCommand();
        command.CommandText = sql;
        command.ExecuteNonQuery();
    }

    private static async Task<bool> RunAsync(string program, params string[] arguments)
    {
        try
        {
            using var process = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardError = true })!;
            await process.WaitForExitAsync();
            return process.ExitCode == 0;
        }
        catch (System.ComponentModel.Win32Exception)
        {
            return false;
        }
    }

    private static AppendToQueue Append(SessionLease lease, long sequence, IStoreObserver observer) =>
        new(lease, sequence, TestStore.Message(), Qos.AtLeastOnce) { Observer = observer };

    private sealed class Thrower : IStoreObserver
    {
        public void Committed(StoreWrite write) => throw new InvalidOperationException("thrown by a test");

        public void Failed(StoreWrite write, StoreException reason) => Committed(write);
    }
}
