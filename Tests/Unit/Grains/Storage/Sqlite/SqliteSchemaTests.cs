using Broker.Grains.Interfaces.Delayed;
using Broker.Grains.Interfaces.Messages;
using Broker.Grains.Storage;
using Broker.Grains.Storage.Sqlite;
using Broker.Grains.Storage.Writes;
using Xunit;

namespace Broker.Tests.Unit.Grains.Storage.Sqlite;

public class SqliteSchemaTests
{
    [Fact]
    public async Task DataIsRead_WhenFileIsOfVersionOne()
    {
        var path = TestStore.NewPath();
        SqliteFileTests.Execute(path, VersionOneFixture.Sql);
        await using var test = await TestStore.OpenAsync(path);
        var session = await test.Store.OpenSessionAsync("client");
        Assert.Equal(4, session!.Lease.Epoch);
        Assert.Equal(("user", 77u, 41L, 99L), (session.Header.UserName, session.Header.WillExpirySeconds, session.Header.WillDueAt, session.Header.ExpiresAt));
        Assert.Equal(5, session.Header.SentUpTo);
        Assert.Equal("gone", Text(session.Header.Will!));
        Assert.Equal(("a/+", 17L, 5), (session.Subscriptions[0].Filter, session.Subscriptions[0].Number, session.Subscriptions[0].Shard));
        Assert.Equal("3/a/b", session.Subscriptions[0].RetainedFrom);
        Assert.Equal(["own", "shared"], session.Queue.Select(TestStore.Text));
        Assert.True(session.Queue[1].IsReleased);
        Assert.Equal([new StoredReceipt(7, 12)], session.Receipts);
        Assert.Equal(3, session.Queue[1].ShareNumber);
        Assert.Equal([new OriginMark(5, 6, 7)], session.Origins);
        Assert.Equal("will", Assert.Single(await test.Store.ListWillsAsync("old")).ClientId);
        Assert.Equal("64", await test.Store.GetOrCreateSettingAsync("shards", "1"));
        await foreach (var message in test.Store.LoadRetainedAsync(2)) Assert.Equal("kept", Text(message));
        Assert.Empty(test.DatabaseLog.Lines);
    }

    [Fact]
    public async Task DelayedMessagesAreTaken_WhenFileIsOfVersionTwo()
    {
        var path = TestStore.NewPath();
        using (SqliteLink link = new(new SqliteOptions { Path = path }))
        {
            SqliteSchema.Migrate(link, [.. SqliteSchema.Steps.Take(2)]);
            link.Execute("INSERT INTO record VALUES (7, 'table', 'key', X'01', 0)");
        }

        await using var test = await TestStore.OpenAsync(path);
        Assert.True(await test.Store.WriteAsync(new SaveDelayed(new DelayedKey(1, 2, 3), new DelayedMessage(TestStore.Message(), 2, 1, null))));
        Assert.Equal(new DelayedState(1, 2, 3), await test.Store.ReadDelayedAsync(reader => reader.ReadState(1)));
        await foreach (var record in test.Store.LoadRecordsAsync()) Assert.Equal((7, "key"), (record.Version, record.Key));
    }

    [Fact]
    public void LaterStepsRunOnce_WhenFileIsOlder()
    {
        var options = new SqliteOptions { Path = TestStore.NewPath() };
        using SqliteLink link = new(options);
        SqliteSchema.Migrate(link, SqliteSchema.Steps);
        string[] longer = [.. SqliteSchema.Steps, "ALTER TABLE session ADD COLUMN added INTEGER NOT NULL DEFAULT 3"];
        SqliteSchema.Migrate(link, longer);
        SqliteSchema.Migrate(link, longer);
        Assert.Equal($"{longer.Length}", link.Query("SELECT version FROM schema_version"));
        Assert.Equal("0", link.Query("SELECT count(added) FROM session"));
        Assert.Throws<StoreException>(() => SqliteSchema.Migrate(link, SqliteSchema.Steps));
    }

    [Fact]
    public void NothingIsChanged_WhenAStepFails()
    {
        using SqliteLink link = new(new SqliteOptions { Path = TestStore.NewPath() });
        Assert.ThrowsAny<Exception>(() => SqliteSchema.Migrate(link, [.. SqliteSchema.Steps, "CREATE TABLE fine (x); CREATE TABLE broken ("]));
        Assert.Equal("0", link.Query("SELECT count(*) FROM sqlite_master"));
    }

    private static string Text(ApplicationMessage message) => System.Text.Encoding.UTF8.GetString(message.Payload);
}
