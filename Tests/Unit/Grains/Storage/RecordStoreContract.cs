using Broker.Grains.Storage.Writes;
using Xunit;
using Record = Broker.Grains.Interfaces.Records.Record;

namespace Broker.Tests.Unit.Grains.Storage;

public abstract class RecordStoreContract : StoreContract
{
    [Fact]
    public async Task LastChangeIsLoaded_WhenReplacedAndRemoved()
    {
        var path = await NewPlaceAsync();
        await using (var test = await OpenAsync(path))
        {
            Assert.True(await test.Store.WriteAsync(new SaveRecords([Record(1, "a", [1]), Record(2, "b", [2]), Record(3, "c", [3], expiresAt: 77)])));
            Assert.True(await test.Store.WriteAsync(new SaveRecords([Record(4, "a", []), Record(5, "b", null)])));
        }

        await using var again = await OpenAsync(path);
        var records = await LoadAsync(again);
        Assert.Equal([(3, "c", 77), (4, "a", 0), (5, "b", 0)], records.Select(record => (record.Version, record.Key, record.ExpiresAt)));
        Assert.Equal([3], records[0].Value!);
        Assert.Equal([], records[1].Value!);
        Assert.Null(records[2].Value);
    }

    [Fact]
    public async Task EveryRecordIsLoadedOnce_WhenThereAreSeveralPages()
    {
        await using var test = await OpenAsync();
        Assert.True(await test.Store.WriteAsync(new SaveRecords([.. Enumerable.Range(1, 20_001).Select(i => Record(i, $"{i}", [(byte)i]))])));
        Assert.Equal(Enumerable.Range(1, 20_001).Select(i => $"{i}"), (await LoadAsync(test)).Select(record => record.Key));
    }

    [Fact]
    public async Task KeysOfOtherTablesStay_WhenOneIsReplaced()
    {
        await using var test = await OpenAsync();
        Assert.True(await test.Store.WriteAsync(new SaveRecords([new Record(1, "x", "key", [1], 0), new Record(2, "y", "key", [2], 0)])));
        Assert.True(await test.Store.WriteAsync(new SaveRecords([new Record(3, "x", "key", [3], 0)])));
        Assert.Equal([("y", 2), ("x", 3)], (await LoadAsync(test)).Select(record => (record.Table, (int)record.Value![0])));
    }

    [Fact]
    public async Task WriteIsRefused_WhenAVersionIsTaken()
    {
        await using var test = await OpenAsync();
        Assert.True(await test.Store.WriteAsync(new SaveRecords([Record(1, "a", [1]), Record(2, "b", [2])])));
        Assert.False(await test.Store.WriteAsync(new SaveRecords([Record(2, "c", [3]), Record(3, "a", [3])])));
        Assert.Equal([1, 2], (await LoadAsync(test)).Select(record => (int)record.Value![0]));
    }

    [Fact]
    public async Task OnlyOldRemovalsAreForgotten()
    {
        await using var test = await OpenAsync();
        Assert.True(await test.Store.WriteAsync(new SaveRecords([Record(1, "a", [1]), Record(2, "b", null), Record(3, "c", null)])));
        Assert.True(await test.Store.WriteAsync(new ForgetRemovedRecords(2)));
        Assert.Equal(["a", "c"], (await LoadAsync(test)).Select(record => record.Key));
    }

    private static Record Record(long version, string key, byte[]? value, long expiresAt = 0) => new(version, "table", key, value, expiresAt);

    private static async Task<List<Record>> LoadAsync(TestStore test)
    {
        List<Record> records = [];
        await foreach (var record in test.Store.LoadRecordsAsync()) records.Add(record);
        return records;
    }
}
