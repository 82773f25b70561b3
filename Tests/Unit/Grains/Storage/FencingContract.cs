using Broker.Grains.Interfaces.Messages;
using Broker.Grains.Storage;
using Broker.Grains.Storage.Writes;
using Xunit;

namespace Broker.Tests.Unit.Grains.Storage;

public abstract class FencingContract : StoreContract
{
    [Fact]
    public async Task OlderLeaseIsFenced_WhenAnotherStoreOpenedTheSession()
    {
        await using var first = await OpenAsync();
        await using var second = await OpenAsync(first.Place);
        var old = await first.CreateAsync("c");
        var other = await first.CreateAsync("other");
        var current = await second.CreateAsync("c");
        Assert.Equal((old.Key, old.Epoch + 1), (current.Key, current.Epoch));
        var outcomes = await first.WriteAsync(
            o => Append(old, 1, o), o => Append(other, 1, o), o => new RemoveFromQueue(old, 7) { Observer = o }, o => new DeleteSession(old) { Observer = o });
        Assert.Equal(old.Key, Assert.IsType<SessionFencedException>(outcomes[0]).SessionKey);
        Assert.Null(outcomes[1]);
        Assert.IsType<SessionFencedException>(outcomes[2]);
        Assert.IsType<SessionFencedException>(outcomes[3]);
        Assert.Equal([null], await second.WriteAsync(o => Append(current, 1, o)));
        Assert.Equal(2, first.Count("queue"));
    }

    [Fact]
    public async Task OnlyThatWriteIsFenced_WhenSequenceIsTaken()
    {
        await using var test = await OpenAsync();
        var lease = await test.CreateAsync("c");
        var body = new SharedBody(TestStore.Message(payload: "shared"));
        var outcomes = await test.WriteAsync(
            o => Append(lease, 1, o), o => new AppendToQueue(lease, 1, body, Qos.AtLeastOnce) { Observer = o }, o => Append(lease, 2, o));
        Assert.Null(outcomes[0]);
        Assert.IsType<SessionFencedException>(outcomes[1]);
        Assert.Null(outcomes[2]);
        Assert.Equal(0, test.Count("body"));
        Assert.Equal(["payload", "payload"], (await test.OpenSessionAsync("c")).Queue.Select(TestStore.Text));
    }

    [Fact]
    public async Task WritesBetweenTwoOpeningsAreSortedByEpoch_WhenAllMeetInOneBatch()
    {
        await using var test = await OpenAsync();
        var old = await test.CreateAsync("c");
        StoreJournal journal = new();
        var hold = await test.HoldAsync();
        test.Store.Submit(Append(old, 1, journal));
        var opening = test.Store.OpenSessionAsync("c");
        test.Store.Submit(Append(old, 2, journal));
        test.Store.Submit(Append(old with { Epoch = old.Epoch + 1 }, 3, journal));
        hold.Release();
        await journal.ReachAsync(3);
        Assert.Equal([1L], (await opening)!.Queue.Select(entry => entry.Sequence));
        Assert.Equal([true, false, true], journal.Entries.Select(entry => entry.Reason is null));
    }

    [Fact]
    public async Task WholeGroupFails_WhenOneMemberIsFenced()
    {
        await using var test = await OpenAsync();
        var publisher = await test.CreateAsync("publisher");
        var one = await test.CreateAsync("one");
        var two = await test.CreateAsync("two");
        var shared = new SharedBody(TestStore.Message());
        await test.WriteAsync(o => Append(two, 1, o));
        StoreJournal members = new();
        var outcomes = await test.WriteAsync(
            o => new WriteGroup(
                new AppendToQueue(one, 1, shared, Qos.ExactlyOnce) { Observer = members },
                new AppendToQueue(two, 1, shared, Qos.ExactlyOnce) { Observer = members },
                new AddReceipt(publisher, 1, 7) { Observer = members })
            { Observer = o },
            o => new WriteGroup(
                new AppendToQueue(one, 2, shared, Qos.ExactlyOnce) { Observer = members },
                new AppendToQueue(two, 2, shared, Qos.ExactlyOnce) { Observer = members },
                new AddReceipt(publisher, 2, 7) { Observer = members })
            { Observer = o });
        Assert.IsType<SessionFencedException>(outcomes[0]);
        Assert.Null(outcomes[1]);
        Assert.Equal([false, false, false, true, true, true], members.Entries.Select(entry => entry.Reason is null));
        Assert.Equal([2L], (await test.OpenSessionAsync("one")).Queue.Select(entry => entry.Sequence));
        Assert.Equal([1L, 2L], (await test.OpenSessionAsync("two")).Queue.Select(entry => entry.Sequence));
        Assert.Equal([new StoredReceipt(2, 7)], (await test.OpenSessionAsync("publisher")).Receipts);
        Assert.Equal(1, test.Count("body"));
    }

    private static AppendToQueue Append(SessionLease lease, long sequence, IStoreObserver observer) =>
        new(lease, sequence, TestStore.Message(), Qos.AtLeastOnce) { Observer = observer };
}
