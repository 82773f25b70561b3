using Broker.Grains.Interfaces.Messages;
using Broker.Grains.Storage;
using Broker.Grains.Storage.Writes;
using Microsoft.Data.Sqlite;
using Microsoft.Extensions.Logging;
using Xunit;

namespace Broker.Tests.Unit.Grains.Storage.Sqlite;

public class SqliteFileTests
{
    [Fact]
    public async Task EveryCommittedWriteIsThere_WhenFilesAreCopiedWhileTheWriterIsAtWork()
    {
        await using var test = await TestStore.OpenAsync(
            options: new StoreOptions { MaxBatchWrites = 50 }, configure: options => options.CheckpointPages = 20);
        var lease = await test.CreateAsync("c");
        var shared = new SharedBody(TestStore.Message(payload: "shared"));
        StoreJournal journal = new();
        for (var i = 1; i <= 3_000; i++)
        {
            test.Store.Submit(new WriteGroup(
                i % 3 == 0
                    ? new AppendToQueue(lease, i, shared, Qos.ExactlyOnce)
                    : new AppendToQueue(lease, i, TestStore.Message(payload: $"{i}"), Qos.ExactlyOnce) { SubscriptionIdentifiers = [i] },
                new AddReceipt(lease, (ushort)i, 7))
            { Observer = journal });
        }

        await journal.ReachAsync(1_000);
        // Held between two batches the files are what a killed process leaves: nothing of them is buffered in the process.
        var hold = await test.HoldAsync();
        var committed = journal.Entries.Count;
        var copy = TestStore.NewPath();
        foreach (var suffix in (string[])["", "-wal"]) File.Copy(test.Place + suffix, copy + suffix);
        hold.Release();

        await using var again = await TestStore.OpenAsync(copy);
        Assert.Empty(again.DatabaseLog.Lines);
        var session = await again.OpenSessionAsync("c");
        Assert.True(session.Queue.Count >= committed, $"{committed} groups were reported, {session.Queue.Count} are there.");
        Assert.Equal(session.Queue.Select(entry => (ushort)entry.Sequence), session.Receipts.Select(receipt => receipt.PacketIdentifier));
        Assert.All(session.Queue, entry => Assert.Equal(entry.Sequence % 3 == 0 ? "shared" : $"{entry.Sequence}", TestStore.Text(entry)));
        Assert.Equal(1, again.Count("body"));
    }

    [Fact]
    public async Task FileIsSetAside_WhenItIsNoDatabase()
    {
        var path = TestStore.NewPath();
        var garbage = Enumerable.Repeat((byte)'?', 10_000).ToArray();
        File.WriteAllBytes(path, garbage);
        await using var test = await TestStore.OpenAsync(path, clock: new ManualClock());
        Assert.Equal(garbage, File.ReadAllBytes(path + ".corrupt-20260102T030405000Z"));
        var line = Assert.Single(test.DatabaseLog.Lines);
        Assert.Equal(LogLevel.Error, line.Level);
        Assert.Contains(".corrupt-20260102T030405000Z", line.Text, StringComparison.Ordinal);
        Assert.Equal(1, (await test.CreateAsync("c")).Epoch);
    }

    [Fact]
    public async Task FileIsSetAside_WhenItsPagesAreDamagedAndItsEndWasUnclean()
    {
        var path = TestStore.NewPath();
        await using (var test = await TestStore.OpenAsync(path))
        {
            for (var i = 0; i < 2_000; i++) test.Store.Submit(new SaveRetained(0, TestStore.Message($"topic/{i}")));
        }

        Execute(path, "INSERT INTO setting VALUES ('store.open', '1')");
        using (var file = File.OpenWrite(path))
        {
            for (var page = 30; page < 50; page++)
            {
                file.Position = page * 4096;
                file.Write(Enumerable.Repeat((byte)0x5A, 4096).ToArray());
            }
        }

        await using var again = await TestStore.OpenAsync(path);
        Assert.Single(again.DatabaseLog.Lines);
        Assert.Single(Directory.GetFiles(Path.GetDirectoryName(path)!, "*.corrupt-*Z"));
        Assert.Equal(0, again.Count("retained"));
    }

    [Fact]
    public async Task StartFailsAndFileIsUntouched_WhenSchemaIsNewer()
    {
        var path = TestStore.NewPath();
        await (await TestStore.OpenAsync(path)).DisposeAsync();
        Execute(path, "UPDATE schema_version SET version = 99");
        var before = File.ReadAllBytes(path);
        var error = await Assert.ThrowsAsync<StoreException>(() => TestStore.OpenAsync(path));
        Assert.Contains("schema version 99", error.Message, StringComparison.Ordinal);
        Assert.Equal(before, File.ReadAllBytes(path));
    }

    internal static void Execute(string path, string sql)
    {
        using SqliteConnection connection = new($"Data Source={path};Pooling=False");
        connection.Open();
        using var command = connection.CreateCommand();
        command.CommandText = sql;
        command.ExecuteNonQuery();
    }
}
