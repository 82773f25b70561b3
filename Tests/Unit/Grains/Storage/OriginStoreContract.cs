using Broker.Grains.Interfaces.Messages;
using Broker.Grains.Storage;
using Broker.Grains.Storage.Writes;
using Xunit;

namespace Broker.Tests.Unit.Grains.Storage;

public abstract class OriginStoreContract : StoreContract
{
    [Fact]
    public async Task HighestNumberOfEachSourceAndShardIsKept_WhenManyCameInOneBatch()
    {
        var place = await NewPlaceAsync();
        await using (var test = await OpenAsync(place))
        {
            var lease = await test.CreateAsync("c");
            await test.WriteAsync(
                o => new WriteGroup(Append(lease, 1, 10, 5, 100), Append(lease, 2, 10, 5, 101)) { Observer = o },
                o => Append(lease, 3, 10, 6, 7, o),
                o => Append(lease, 4, 10, 5, 99, o),
                o => Append(lease, 5, 11, 5, 1, o));
            await test.WriteAsync(o => Append(lease, 6, 11, 5, 2, o), o => Append(lease, 7, 10, 6, 6, o));
            Assert.Equal(3, test.Count("origin"));
        }

        await using var again = await OpenAsync(place);
        var session = await again.OpenSessionAsync("c");
        Assert.Equal([new OriginMark(10, 5, 101), new OriginMark(10, 6, 7), new OriginMark(11, 5, 2)], session.Origins);
        Assert.All(session.Queue, entry => Assert.Null(entry.Message.Origin));
    }

    [Fact]
    public async Task NothingIsNoted_WhenMessageIsNotQos2OrHasNoOriginOrIsFenced()
    {
        await using var test = await OpenAsync();
        var lease = await test.CreateAsync("c");
        await test.WriteAsync(
            o => new AppendToQueue(lease, 1, TestStore.Message(), Qos.ExactlyOnce) { Observer = o, OriginShard = 3 },
            o => new AppendToQueue(lease, 2, Message(Qos.AtLeastOnce, new MessageOrigin(1, 1)), Qos.AtLeastOnce) { Observer = o, OriginShard = 3 },
            o => Append(lease with { Epoch = 9 }, 3, 1, 1, 1, o),
            o => new WriteGroup(Append(lease, 4, 1, 1, 1), Append(lease with { Epoch = 9 }, 5, 1, 1, 1)) { Observer = o });
        Assert.Empty((await test.OpenSessionAsync("c")).Origins);
        Assert.Equal(2, test.Count("queue"));
    }

    [Fact]
    public async Task MarkIsKept_WhenAppendWasTakenBackBeforeItWasWritten()
    {
        await using var test = await OpenAsync();
        var lease = await test.CreateAsync("c");
        await test.WriteAsync(o => Append(lease, 1, 10, 5, 100, o), o => new RemoveFromQueue(lease, 1) { Observer = o });
        var session = await test.OpenSessionAsync("c");
        Assert.Equal([new OriginMark(10, 5, 100)], session.Origins);
        Assert.Empty(session.Queue);
    }

    [Fact]
    public async Task MarksGo_WhenNothingWasAddedForLongOrTheSessionEnds()
    {
        ManualClock clock = new();
        await using var test = await OpenAsync(clock: clock);
        var one = await test.CreateAsync("one");
        var two = await test.CreateAsync("two");
        await test.WriteAsync(o => Append(one, 1, 10, 5, 1, o), o => Append(one, 2, 11, 5, 1, o), o => Append(two, 1, 10, 5, 1, o));
        clock.Advance(TimeSpan.FromMinutes(1));
        await test.WriteAsync(o => Append(one, 3, 11, 5, 2, o));
        await test.WriteAsync(o => new ForgetOrigins(clock.GetUtcNow().ToUnixTimeMilliseconds()) { Observer = o });
        Assert.Equal([new OriginMark(11, 5, 2)], (await test.OpenSessionAsync("one")).Origins);
        await test.WriteAsync(o => new DeleteSession(one with { Epoch = 2 }) { Observer = o });
        Assert.Equal(0, test.Count("origin"));
    }

    private static AppendToQueue Append(SessionLease lease, long sequence, long source, int shard, long number, IStoreObserver? observer = null) =>
        new(lease, sequence, Message(Qos.ExactlyOnce, new MessageOrigin(source, number)), Qos.ExactlyOnce) { OriginShard = shard, Observer = observer };

    private static ApplicationMessage Message(Qos qos, MessageOrigin origin)
    {
        var message = TestStore.Message();
        return new ApplicationMessage { Topic = message.Topic, Payload = message.Payload, Qos = qos, Origin = origin };
    }
}
