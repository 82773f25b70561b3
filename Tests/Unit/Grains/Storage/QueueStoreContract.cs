using Broker.Grains.Interfaces.Messages;
using Broker.Grains.Storage;
using Broker.Grains.Storage.Writes;
using Xunit;

namespace Broker.Tests.Unit.Grains.Storage;

public abstract class QueueStoreContract : StoreContract
{
    [Fact]
    public async Task OutcomesComeInOrderOfSubmission_WhenThereAreManyBatches()
    {
        await using var test = await OpenAsync(options: new StoreOptions { MaxBatchWrites = 7, MaxBatchBytes = 5_000 });
        var lease = await test.CreateAsync("c");
        StoreJournal journal = new();
        for (var i = 1; i <= 1_000; i++) test.Store.Submit(new AppendToQueue(lease, i, TestStore.Message(), Qos.AtLeastOnce) { Observer = journal });
        await journal.ReachAsync(1_000);
        Assert.Equal(Enumerable.Range(1, 1_000).Select(i => (long)i), journal.Entries.Select(entry => ((AppendToQueue)entry.Write).Sequence));
        Assert.All(journal.Entries, entry => Assert.Null(entry.Reason));
    }

    [Fact]
    public async Task AppendIsNotWrittenButCommitted_WhenCancelledInTime()
    {
        await using var test = await OpenAsync();
        var lease = await test.CreateAsync("c");
        StoreJournal journal = new();
        var hold = await test.HoldAsync();
        AppendToQueue Append(long sequence) => new(lease, sequence, TestStore.Message(), Qos.AtLeastOnce) { Observer = journal };
        AppendToQueue[] appends = [Append(1), Append(2), Append(3)];
        foreach (var append in appends) test.Store.Submit(append);
        Assert.True(appends[1].TryCancel());
        Assert.False(appends[1].TryCancel());
        hold.Release();
        await journal.ReachAsync(3);
        Assert.Equal(appends.Select(append => (append as StoreWrite, default(StoreException))), journal.Entries);
        Assert.False(appends[0].TryCancel());
        Assert.Equal([1L, 3L], (await test.OpenSessionAsync("c")).Queue.Select(entry => entry.Sequence));
    }

    [Fact]
    public async Task NeitherIsWritten_WhenAppendAndRemovalMeetInABatch()
    {
        await using var test = await OpenAsync();
        var lease = await test.CreateAsync("c");
        AppendToQueue? append = null;
        var outcomes = await test.WriteAsync(
            o => new AppendToQueue(lease, 1, TestStore.Message(), Qos.AtLeastOnce) { Observer = o },
            o => append = new AppendToQueue(lease, 2, TestStore.Message(), Qos.AtLeastOnce) { Observer = o },
            o => new RemoveFromQueue(lease, 2) { Observer = o },
            o => new WriteGroup(new RemoveFromQueue(lease, 1)) { Observer = o },
            o => new AddReceipt(lease, 1, 7) { Observer = o },
            o => new AddReceipt(lease, 2, 7) { Observer = o });
        Assert.All(outcomes, Assert.Null);
        Assert.False(append!.TryCancel());
        Assert.True(append.IsCancelled);
        Assert.Empty((await test.OpenSessionAsync("c")).Queue);
    }

    [Fact]
    public async Task BodyIsStoredOnceAndLeavesWithItsLastEntry_WhenShared()
    {
        var path = await NewPlaceAsync();
        await using (var test = await OpenAsync(path))
        {
            var one = await test.CreateAsync("one");
            var two = await test.CreateAsync("two");
            var three = await test.CreateAsync("three");
            var body = new SharedBody(TestStore.Message(payload: "shared"));
            await test.WriteAsync(o => Append(one, body, o), o => Append(two, body, o));
            Assert.Equal((2, 1), (test.Count("queue"), test.Count("body")));
            await test.WriteAsync(o => new RemoveFromQueue(one, 1, body) { Observer = o });
            Assert.Equal(1, test.Count("body"));
            await test.WriteAsync(o => new RemoveFromQueue(two, 1, body) { Observer = o });
            Assert.Equal((0, 0), (test.Count("queue"), test.Count("body")));
            await test.WriteAsync(o => Append(three, body, o), o => new RemoveFromQueue(one, 1, body) { Observer = o });
            Assert.Equal((1, 1), (test.Count("queue"), test.Count("body")));
        }

        await using var again = await OpenAsync(path);
        var session = await again.OpenSessionAsync("three");
        var entry = Assert.Single(session.Queue);
        Assert.Equal("shared", TestStore.Text(entry));
        await again.WriteAsync(o => new RemoveFromQueue(session.Lease, 1, entry.Shared) { Observer = o });
        Assert.Equal(0, again.Count("body"));
    }

    [Fact]
    public async Task BodyGoesAtTheNextStart_WhenRemovalDidNotNameIt()
    {
        var path = await NewPlaceAsync();
        await using (var test = await OpenAsync(path))
        {
            var lease = await test.CreateAsync("c");
            await test.WriteAsync(o => Append(lease, new SharedBody(TestStore.Message()), o));
            await test.WriteAsync(o => new RemoveFromQueue(lease, 1) { Observer = o });
            Assert.Equal(1, test.Count("body"));
        }

        await using var again = await OpenAsync(path);
        Assert.Equal(0, again.Count("body"));
    }

    [Fact]
    public async Task NewDataIsRefusedAndRemovalsAreTaken_WhenTooMuchIsPending()
    {
        await using var test = await OpenAsync(options: new StoreOptions { MaxPendingWrites = 3 });
        var lease = await test.CreateAsync("c");
        StoreJournal journal = new();
        var hold = await test.HoldAsync();
        for (var i = 1; i <= 4; i++) test.Store.Submit(new AppendToQueue(lease, i, TestStore.Message(), Qos.AtLeastOnce) { Observer = journal });
        Assert.IsType<StoreFullException>(Assert.Single(journal.Entries).Reason);
        test.Store.Submit(new RemoveReceipt(lease, 1) { Observer = journal });
        hold.Release();
        await journal.ReachAsync(5);
        Assert.All(journal.Entries.Skip(1), entry => Assert.Null(entry.Reason));
        Assert.Equal([null], await test.WriteAsync(o => Append(lease, new SharedBody(TestStore.Message()), o, 5)));
    }

    [Fact]
    public async Task NewDataIsRefused_WhenTooManyBytesArePending()
    {
        await using var test = await OpenAsync(options: new StoreOptions { MaxPendingBytes = 10_000 });
        var lease = await test.CreateAsync("c");
        var large = TestStore.Message(payload: new string('x', 8_000));
        var outcomes = await test.WriteAsync(
            o => new AppendToQueue(lease, 1, large, Qos.AtLeastOnce) { Observer = o }, o => new AppendToQueue(lease, 2, large, Qos.AtLeastOnce) { Observer = o });
        Assert.IsType<StoreFullException>(outcomes[0]);
        Assert.Null(outcomes[1]);
    }

    private static AppendToQueue Append(SessionLease lease, SharedBody body, IStoreObserver observer, long sequence = 1) =>
        new(lease, sequence, body, Qos.AtLeastOnce) { Observer = observer };
}
