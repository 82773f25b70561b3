using Broker.Grains.Interfaces.Delayed;
using Broker.Grains.Interfaces.Messages;
using Broker.Grains.Storage;
using Broker.Grains.Storage.Writes;
using Xunit;

namespace Broker.Tests.Unit.Grains.Storage;

public abstract class DelayedStoreContract : StoreContract
{
    private static readonly DelayedState Nothing = new(0, long.MaxValue, 0);

    [Fact]
    public async Task MessagesAreReadInTheOrderOfTheirTimes_WhenDue()
    {
        var place = await NewPlaceAsync();
        await using (var test = await OpenAsync(place))
        {
            await SaveAsync(test, (30, 1), (10, 2), (20, 3), (10, 4), (40, 5));
            Assert.True(await test.Store.WriteAsync(Save(test, new DelayedKey(2, 5, 1))));
        }

        await using var again = await OpenAsync(place);
        Assert.Equal(new DelayedState(5, 10, 5), await again.Store.ReadDelayedAsync(reader => reader.ReadState(1)));
        Assert.Equal([(10, 2), (10, 4), (20, 3)], await DueAsync(again, 29));
        Assert.Equal([(10, 2), (10, 4)], await DueAsync(again, 100, limit: 2));
        Assert.Equal([(10, 2)], await DueAsync(again, 100, maxBytes: 1)); // at least one
        Assert.Empty(await DueAsync(again, 9));
        Assert.True(await again.Store.WriteAsync(new RemoveDelayed([new(1, 10, 2), new(1, 10, 4), new(1, 77, 7)])));
        Assert.Equal(20, await again.Store.ReadDelayedAsync(reader => reader.ReadNext(1)));
        Assert.True(await again.Store.WriteAsync(new RemoveDelayed([new(1, 20, 3), new(1, 30, 1), new(1, 40, 5)])));
        Assert.Equal(long.MaxValue, await again.Store.ReadDelayedAsync(reader => reader.ReadNext(1)));
        Assert.Equal(Nothing, await again.Store.ReadDelayedAsync(reader => reader.ReadState(1)));
        Assert.Equal(1, again.Count("delayed_message"));
    }

    [Fact]
    public async Task MessageComesBackWhole_WithItsName()
    {
        await using var test = await OpenAsync();
        var message = new ApplicationMessage
        {
            Topic = TestMessage.On("wörld/x").Topic, Payload = [0, 1, 255], Qos = Qos.ExactlyOnce, Retain = true, PublisherId = "publishér", ExpiresAt = 99,
            Properties = new MessageProperties { ContentType = "t", User = [new UserProperty("a", "b")] }, Origin = new MessageOrigin(5, 6),
        };
        var key = new DelayedKey(3, 50, 7);
        Assert.True(await test.Store.WriteAsync(new SaveDelayed(key, new DelayedMessage(message, 50, 40, "usér"))));
        var (head, found) = (await test.Store.ReadDelayedAsync(reader => reader.Find(key)))!.Value;
        Assert.Equal(new DelayedHead(key, 40, "wörld/x", Qos.ExactlyOnce, true, "publishér", "usér", 3), head);
        Assert.Equal((message.Topic, message.Qos, true, "publishér", 99L), (found.Topic, found.Qos, found.Retain, found.PublisherId, found.ExpiresAt));
        Assert.Equal(message.Payload, found.Payload);
        Assert.Equal(("t", new UserProperty("a", "b")), (found.Properties!.ContentType, found.Properties.User[0]));
        Assert.Null((await ReadDueAsync(test, 3, 50)).Origin);

        Assert.True(await test.Store.WriteAsync(new NameDelayed([(key, new MessageOrigin(-8, 9)), (key with { Number = 8 }, new MessageOrigin(1, 1))])));
        Assert.Equal(new MessageOrigin(-8, 9), (await ReadDueAsync(test, 3, 50)).Origin);
        Assert.Null(await test.Store.ReadDelayedAsync(reader => reader.Find(key with { Number = 8 })));
    }

    [Fact]
    public async Task OriginsAreNoted_UnlessTheMessageIsNotStored()
    {
        await using var test = await OpenAsync();
        DelayedMessage From(long source, long number, Qos qos = Qos.ExactlyOnce) => new(TestMessage.On("a", qos: qos).From(new MessageOrigin(source, number)), 10, 0, null);
        var outcomes = await test.WriteAsync(
            o => new SaveDelayed(new DelayedKey(4, 10, 1), From(7, 3)) { Observer = o },
            o => new WriteGroup(new SaveDelayed(new DelayedKey(4, 10, 2), From(7, 5))) { Observer = o },
            o => new SaveDelayed(new DelayedKey(4, 10, 3), From(8, 1, Qos.AtLeastOnce)) { Observer = o },
            o => new SaveDelayed(new DelayedKey(4, 10, 2), From(9, 1)) { Observer = o }); // its place is taken
        Assert.Equal([null, null, null], outcomes[..3]);
        Assert.NotNull(outcomes[3]);
        Assert.Equal([new OriginMark(7, 4, 5)], await test.Store.ReadDelayedAsync(reader => reader.ReadOrigins(4)));
        Assert.Empty(await test.Store.ReadDelayedAsync(reader => reader.ReadOrigins(5)));
        await test.WriteAsync(o => new RemoveDelayed([new(4, 10, 1), new(4, 10, 2)]) { Observer = o });
        Assert.Single(await test.Store.ReadDelayedAsync(reader => reader.ReadOrigins(4))); // longer than the message
    }

    [Fact]
    public async Task HeadsAreReadPageByPage_FromAnyPlace()
    {
        await using var test = await OpenAsync();
        await SaveAsync(test, [.. Enumerable.Range(1, 100).Select(i => (100L - i / 2, (long)i))]);
        var all = await test.Store.ReadDelayedAsync(reader => reader.ReadHeads(1, null, 0, 1_000));
        Assert.Equal(all.OrderBy(head => head.Key.DueAt).ThenBy(head => head.Key.Number), all);
        Assert.Equal(100, all.Count);
        var paged = new List<DelayedHead>();
        for (DelayedKey? after = null; paged.Count < 100; after = paged[^1].Key) paged.AddRange(await test.Store.ReadDelayedAsync(reader => reader.ReadHeads(1, after, 0, 7)));
        Assert.Equal(all, paged);
        Assert.Equal(all.Skip(93), await test.Store.ReadDelayedAsync(reader => reader.ReadHeads(1, null, 93, 50)));
    }

    [Fact]
    public void IdentifierIsReadAsItWasWritten()
    {
        var key = new DelayedKey(63, 1_700_000_000_000, long.MaxValue);
        Assert.Equal(32, key.ToString().Length);
        Assert.True(DelayedKey.TryParse(key.ToString(), out var read));
        Assert.Equal(key, read);
        Assert.All(["", "x", new string('x', 32), key.ToString()[1..], key + "0"], text => Assert.False(DelayedKey.TryParse(text, out _)));
    }

    private static SaveDelayed Save(TestStore test, DelayedKey key) => new(key, new DelayedMessage(TestStore.Message($"t/{test.Node.Length}"), key.DueAt, 0, null));

    private static async Task SaveAsync(TestStore test, params (long DueAt, long Number)[] places) =>
        Assert.All(await Task.WhenAll(places.Select(place => test.Store.WriteAsync(Save(test, new DelayedKey(1, place.DueAt, place.Number))))), Assert.True);

    private static async Task<IEnumerable<(long DueAt, long Number)>> DueAsync(TestStore test, long nowMs, int limit = 100, long maxBytes = 1 << 20) =>
        (await test.Store.ReadDelayedAsync(reader => reader.ReadDue(1, nowMs, limit, maxBytes))).Select(one => (one.Key.DueAt, one.Key.Number));

    private static async Task<StoredDelayed> ReadDueAsync(TestStore test, int partition, long nowMs) =>
        Assert.Single(await test.Store.ReadDelayedAsync(reader => reader.ReadDue(partition, nowMs, 10, 1 << 20)));
}
