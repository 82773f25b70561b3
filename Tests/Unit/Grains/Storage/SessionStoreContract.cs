using Broker.Grains.Interfaces.Messages;
using Broker.Grains.Interfaces.Sessions;
using Broker.Grains.Storage;
using Broker.Grains.Storage.Writes;
using Xunit;

namespace Broker.Tests.Unit.Grains.Storage;

public abstract class SessionStoreContract : StoreContract
{
    [Fact]
    public async Task NothingIsOpened_WhenSessionIsAbsentAndNotToBeCreated()
    {
        await using var test = await OpenAsync();
        Assert.Null(await test.Store.OpenSessionAsync("nobody"));
        Assert.Equal(0, test.Count("session"));
    }

    [Fact]
    public async Task SessionIsWhole_WhenStoreIsClosedAndOpened()
    {
        var path = await NewPlaceAsync();
        var will = TestStore.Message("will/topic", "gone");
        var header = new SessionHeader
        {
            ClientId = "c", Partition = 3, ProtocolVersion = 5, ExpiryIntervalSeconds = SessionHeader.NeverExpires, IsConnected = false, CreatedAt = 7,
            DisconnectedAt = 11, SentUpTo = 12, UserName = "user", Will = will, WillDelaySeconds = 30, WillExpirySeconds = 77, WillDueAt = 41, ExpiresAt = 99,
        };
        var subscription = new SessionSubscription("a/+", 17, 5, new SubscriptionOptions(Qos.ExactlyOnce, true, true, RetainHandling.SendIfNew, 268_435_455)) { RetainedFrom = "3/é" };
        await using (var test = await OpenAsync(path))
        {
            var opened = await test.Store.OpenSessionAsync("c", header with { Will = null });
            Assert.True(opened!.IsNew);
            test.Store.Submit(new SaveSession(opened.Lease, header));
            test.Store.Submit(new SaveSubscription(opened.Lease, subscription with { Number = 1 }));
            test.Store.Submit(new SaveSubscription(opened.Lease, subscription));
            test.Store.Submit(new SaveSubscription(opened.Lease, new SessionSubscription("x/#", 2, 5, default)));
            test.Store.Submit(new RemoveSubscription(opened.Lease, "x/#"));
            test.Store.Submit(new AppendToQueue(opened.Lease, 2, TestStore.Message(payload: "second"), Qos.ExactlyOnce) { ShareNumber = 9_999_999_999 });
            test.Store.Submit(new AppendToQueue(opened.Lease, 1, TestStore.Message(payload: "first"), Qos.AtLeastOnce)
            {
                Retain = true,
                SubscriptionIdentifiers = [1, 268_435_455],
            });
            test.Store.Submit(new AppendToQueue(opened.Lease, 3, TestStore.Message(payload: ""), Qos.ExactlyOnce));
            test.Store.Submit(new MarkReleased(opened.Lease, 2));
            test.Store.Submit(new AddReceipt(opened.Lease, 65_535, 7));
            test.Store.Submit(new AddReceipt(opened.Lease, 4, 6));
            test.Store.Submit(new AddReceipt(opened.Lease, 4, long.MaxValue));
            test.Store.Submit(new AddReceipt(opened.Lease, 5, 7));
            test.Store.Submit(new RemoveReceipt(opened.Lease, 5));
        }

        await using var again = await OpenAsync(path);
        var session = await again.Store.OpenSessionAsync("c");
        Assert.False(session!.IsNew);
        Assert.Equal(2, session.Lease.Epoch);
        Assert.Equal(header with { Will = null }, session.Header with { Will = null });
        Assert.Equal(will.Topic, session.Header.Will!.Topic);
        Assert.Equal(will.Payload, session.Header.Will.Payload);
        Assert.Equal([subscription], session.Subscriptions);
        Assert.Equal(["first", "second", ""], session.Queue.Select(TestStore.Text));
        Assert.Equal([1L, 2L, 3L], session.Queue.Select(entry => entry.Sequence));
        Assert.Equal([1, 268_435_455], session.Queue[0].SubscriptionIdentifiers);
        Assert.Equal((true, false, Qos.AtLeastOnce), (session.Queue[0].Retain, session.Queue[0].IsReleased, session.Queue[0].Qos));
        Assert.Equal((false, true, 9_999_999_999), (session.Queue[1].Retain, session.Queue[1].IsReleased, session.Queue[1].ShareNumber));
        Assert.Equal(0, session.Queue[2].ShareNumber);
        Assert.Equal([new StoredReceipt(4, long.MaxValue), new StoredReceipt(65_535, 7)], session.Receipts);
    }

    [Fact]
    public async Task MessageIsUnaltered_WhenItHasEveryProperty()
    {
        await using var test = await OpenAsync();
        var lease = await test.CreateAsync("c");
        var sent = new ApplicationMessage
        {
            Topic = Broker.Grains.Interfaces.Topics.TopicName.Parse("a"), Payload = [0, 1, 255], Qos = Qos.ExactlyOnce, Retain = true, PublisherId = "p", ExpiresAt = 12,
            Properties = new MessageProperties
            {
                IsText = true, ContentType = "t", ResponseTopic = "r", CorrelationData = [], User = [new UserProperty("a", "1"), new UserProperty("a", "2")],
            },
        };
        await test.WriteAsync(o => new AppendToQueue(lease, 1, sent, Qos.ExactlyOnce) { Observer = o });
        var read = (await test.OpenSessionAsync("c")).Queue[0].Message;
        Assert.Equal((sent.Topic, sent.Qos, sent.Retain, sent.PublisherId, sent.ExpiresAt), (read.Topic, read.Qos, read.Retain, read.PublisherId, read.ExpiresAt));
        Assert.Equal(sent.Payload, read.Payload);
        Assert.Equal(sent.Properties.CorrelationData, read.Properties!.CorrelationData);
        Assert.Equal(sent.Properties.User, read.Properties.User);
        Assert.Equal(("t", "r", true), (read.Properties.ContentType, read.Properties.ResponseTopic, read.Properties.IsText));
    }

    [Fact]
    public async Task NothingIsLeft_WhenSessionIsDeleted()
    {
        await using var test = await OpenAsync();
        var lease = await test.CreateAsync("c");
        var outcomes = await test.WriteAsync(
            o => new AppendToQueue(lease, 1, TestStore.Message(), Qos.AtLeastOnce) { Observer = o },
            o => new AppendToQueue(lease, 2, new SharedBody(TestStore.Message()), Qos.AtLeastOnce) { Observer = o },
            o => new AddReceipt(lease, 1, 7) { Observer = o },
            o => new SaveSubscription(lease, new SessionSubscription("a", 1, 1, default)) { Observer = o },
            o => new DeleteSession(lease) { Observer = o },
            o => new RemoveFromQueue(lease, 1) { Observer = o },
            o => new AddReceipt(lease, 2, 7) { Observer = o });
        Assert.All(outcomes.Take(6), Assert.Null);
        Assert.IsType<SessionFencedException>(outcomes[6]);
        foreach (var table in (string[])["session", "queue", "body", "receipt", "subscription"]) Assert.Equal(0, test.Count(table));
        Assert.NotEqual(lease.Key, (await test.CreateAsync("other")).Key);
    }

    [Fact]
    public async Task AllAreListed_WhenThereAreTenThousandSessions()
    {
        await using var test = await OpenAsync();
        var opened = await Task.WhenAll(Enumerable.Range(0, 10_000).Select(i => test.Store.OpenSessionAsync($"client{i}", TestStore.Header($"client{i}", i % 4))));
        StoreJournal journal = new();
        foreach (var (i, session) in opened.Index())
        {
            test.Store.Submit(new SaveSubscription(session!.Lease, new SessionSubscription($"t/{i}", 1, i % 100 == 0 ? SessionSubscription.Broad : i % 8, default))
            {
                Observer = journal,
            });
        }

        await journal.ReachAsync(opened.Length);
        Assert.Equal(2_500, (await test.Store.ListSessionsAsync(3)).Count);
        var shard = await test.Store.LoadSubscriptionsAsync(5);
        Assert.Equal(1_250 + 100, shard.Count);
        Assert.Contains(new ShardSubscription("client13", new SessionSubscription("t/13", 1, 5, default)), shard);
        Assert.Contains(new ShardSubscription("client100", new SessionSubscription("t/100", 1, SessionSubscription.Broad, default)), shard);
    }

    [Fact]
    public async Task ClientsAreListedByDueTime_WhenWillOrExpiryIsDue()
    {
        await using var test = await OpenAsync();
        (string Id, long? Will, long? End)[] cases = [("end", null, 20), ("will", 10, 90), ("later", 31, 32), ("never", null, null), ("now", 40, 30)];
        foreach (var (id, will, end) in cases)
        {
            var lease = await test.CreateAsync(id);
            await test.WriteAsync(o => new SaveSession(lease, TestStore.Header(id) with { WillDueAt = will, ExpiresAt = end }) { Observer = o });
        }

        Assert.Equal(["will", "end", "now"], await test.Store.ListDueAsync(30, 10));
        Assert.Equal(["will"], await test.Store.ListDueAsync(30, 1));
        Assert.Empty(await test.Store.ListDueAsync(9, 10));
    }
}
