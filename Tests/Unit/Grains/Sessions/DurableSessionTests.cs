using Broker.Grains.Interfaces.Messages;
using Broker.Grains.Interfaces.Metrics;
using Broker.Grains.Interfaces.Sessions;
using Broker.Grains.Storage;
using Broker.Tests.Unit.Grains.Storage;
using Xunit;

namespace Broker.Tests.Unit.Grains.Sessions;

public class DurableSessionTests
{
    private const ReasonCode Success = ReasonCode.Success;

    [Fact]
    [Clause("MQTT-4.3.2-1")]
    public async Task SentAtOnceAndAnsweredAfterCommit_WhenQos1()
    {
        await using var test = await SessionFixture.OpenAsync();
        test.Session.Attach(test.Pipe);
        var hold = await test.Test.HoldAsync();
        var answer = test.Send("x", Qos.AtLeastOnce);
        Assert.Equal(["PUBLISH 1 x"], test.Pipe.Sent);
        Assert.False(answer.IsCompleted);
        hold.Release();
        Assert.Equal(Success, await answer);
        Assert.Equal(1, test.Test.Count("queue"));
        Assert.Equal([9], SubscriptionIdentifiers.AsSpan(test.Pipe.Deliveries[0].Identifiers).ToArray());
    }

    [Fact]
    [Clause("MQTT-4.3.3-1")]
    public async Task SentInOrderAfterCommitOnly_WhenQos2()
    {
        await using var test = await SessionFixture.OpenAsync();
        test.Session.Attach(test.Pipe);
        var hold = await test.Test.HoldAsync();
        var answers = new[] { test.Send("x", Qos.ExactlyOnce), test.Send("y", Qos.ExactlyOnce) };
        var second = new RecordingPipe();
        test.Session.Attach(second); // nor does a new connection get it before
        Assert.Empty(test.Pipe.Sent);
        Assert.Empty(second.Sent);
        hold.Release();
        Assert.Equal([Success, Success], await Task.WhenAll(answers));
        Assert.Equal(["PUBLISH 1 x", "PUBLISH 2 y"], second.Sent);
        Assert.Empty(test.Pipe.Sent);
    }

    [Fact]
    public async Task NeverWrittenAndAnsweredEarly_WhenAcknowledgedBeforeItsTurn()
    {
        await using var test = await SessionFixture.OpenAsync();
        test.Session.Attach(test.Pipe);
        var hold = await test.Test.HoldAsync();
        var answer = test.Send("x", Qos.AtLeastOnce);
        Assert.True(test.Session.Acknowledge(1));
        Assert.False(test.Session.Acknowledge(1));
        Assert.Equal(Success, await answer);
        hold.Release();
        await test.FlushAsync();
        Assert.Equal(0, test.Test.Count("queue"));
    }

    [Fact]
    public async Task OldestIsDroppedInTheStoreToo_WhenTheQueueIsFull()
    {
        var limits = new SessionLimits { MaxQueueLength = 2 };
        await using var test = await SessionFixture.OpenAsync(limits: limits);
        Qos[] all = [Qos.AtLeastOnce, Qos.ExactlyOnce, Qos.AtLeastOnce, Qos.AtLeastOnce];
        var answers = all.Select((qos, at) => test.Send($"{at + 1}", qos)).ToArray();
        Assert.All(await Task.WhenAll(answers), code => Assert.Equal(Success, code));
        await using var again = await test.ReopenAsync(limits);
        again.Session.Attach(again.Pipe);
        Assert.Equal(["PUBLISH 3 3 dup", "PUBLISH 4 4 dup"], again.Pipe.Sent);
        Assert.Equal(2, again.Test.Count("queue"));
    }

    [Fact]
    public async Task Qos0IsKeptInOrderWithTheOthers_WhenOffline()
    {
        await using var test = await SessionFixture.OpenAsync();
        await Task.WhenAll(test.Send("1", Qos.AtMostOnce), test.Send("2", Qos.AtLeastOnce), test.Send("3", Qos.AtMostOnce));
        Assert.Equal(3, test.Test.Count("queue"));
        await using var again = await test.ReopenAsync();
        again.Session.Attach(again.Pipe);
        Assert.Equal(["PUBLISH 0 1", "PUBLISH 2 2 dup", "PUBLISH 0 3"], again.Pipe.Sent);
        await again.FlushAsync();
        Assert.Equal(1, again.Test.Count("queue"));
    }

    [Fact]
    public async Task Qos0IsDropped_WhenOfflineAndNotToBeQueued()
    {
        await using var test = await SessionFixture.OpenAsync(limits: new SessionLimits { QueueQos0 = false });
        Assert.Equal(Success, await test.Send("1", Qos.AtMostOnce));
        test.Session.Attach(test.Pipe);
        Assert.Equal(Success, await test.Send("2", Qos.AtMostOnce));
        await test.FlushAsync();
        Assert.Equal(["PUBLISH 0 2"], test.Pipe.Sent);
        Assert.Equal(0, test.Test.Count("queue"));
    }

    [Fact]
    public async Task Qos0WaitsForTheSocket_WhenItCannotKeepUp()
    {
        await using var test = await SessionFixture.OpenAsync();
        test.Session.Attach(test.Pipe);
        test.Pipe.IsWritable = false;
        await test.Send("1", Qos.AtMostOnce);
        await test.Send("2", Qos.AtLeastOnce);
        Assert.Empty(test.Pipe.Sent);
        test.Pipe.IsWritable = true;
        test.Session.Drain();
        Assert.Equal(["PUBLISH 0 1", "PUBLISH 2 2"], test.Pipe.Sent);
    }

    [Fact]
    [Clause("MQTT-3.3.4-9")]
    public async Task NextLeavesWhenOneIsAcknowledged_WhenTheWindowIsFull()
    {
        await using var test = await SessionFixture.OpenAsync(limits: new SessionLimits { MaxInflight = 2 });
        test.Session.Attach(test.Pipe);
        await Task.WhenAll(Enumerable.Range(1, 4).Select(i => test.Send($"{i}", Qos.AtLeastOnce)));
        Assert.Equal(["PUBLISH 1 1", "PUBLISH 2 2"], test.Pipe.Sent);
        test.Session.Acknowledge(2);
        Assert.Equal(["PUBLISH 1 1", "PUBLISH 2 2", "PUBLISH 3 3"], test.Pipe.Sent);
        test.Session.Forget(1);
        Assert.Equal("PUBLISH 4 4", test.Pipe.Sent[^1]);
    }

    [Fact]
    [Clause("MQTT-3.3.2-5")]
    public async Task ExpiredIsNotSentAndLeavesTheStore_WhenItWaited()
    {
        var clock = new ManualClock();
        await using var test = await SessionFixture.OpenAsync(clock: clock);
        await test.Send("1", Qos.AtLeastOnce, expiresAt: clock.GetUtcNow().ToUnixTimeMilliseconds() + 1_000);
        await test.Send("2", Qos.AtLeastOnce);
        clock.Advance(TimeSpan.FromSeconds(1));
        test.Session.Attach(test.Pipe);
        await test.FlushAsync();
        Assert.Equal(["PUBLISH 2 2"], test.Pipe.Sent);
        Assert.Equal(1, test.Test.Count("queue"));
    }

    [Fact]
    [Clause("MQTT-3.3.2-5")]
    public async Task ExpiredIsCountedAndNotLeftToOthers_WhenTheQueueIsFullOrTheSessionEnds()
    {
        var clock = new ManualClock();
        await using var test = await SessionFixture.OpenAsync(clock: clock, limits: new SessionLimits { MaxQueueLength = 2 });
        test.Session.Subscriptions.Set(new SessionSubscription("$share/g/a", 2, 0, new SubscriptionOptions(Qos.ExactlyOnce)));
        var soon = clock.GetUtcNow().ToUnixTimeMilliseconds() + 1_000;
        foreach (var text in new[] { "1", "2" }) test.Session.TryEnqueue(TestMessage.On("a", text, expiresAt: soon), [2], null, null);
        clock.Advance(TimeSpan.FromSeconds(1));
        var expired = BrokerCounters.Read(Metric.DeliveryDroppedExpired);
        test.Session.TryEnqueue(TestMessage.On("a", "3"), [2], null, null);
        Assert.InRange(BrokerCounters.Read(Metric.DeliveryDroppedExpired) - expired, 1, long.MaxValue);
        expired = BrokerCounters.Read(Metric.DeliveryDroppedExpired);
        Assert.Equal(["3"], test.Session.Leftovers().Select(delivery => TestMessage.Text(delivery.Message)));
        Assert.InRange(BrokerCounters.Read(Metric.DeliveryDroppedExpired) - expired, 1, long.MaxValue);
    }

    [Fact]
    public async Task OnlyWhatIsOldIsSentAgain_WhenRetrying()
    {
        var clock = new ManualClock();
        await using var test = await SessionFixture.OpenAsync(clock: clock);
        test.Session.Attach(test.Pipe);
        await test.Send("1", Qos.AtLeastOnce);
        clock.Advance(TimeSpan.FromSeconds(10));
        await test.Send("2", Qos.AtLeastOnce);
        test.Session.Retry(TimeSpan.Zero);
        test.Session.Retry(TimeSpan.FromSeconds(10));
        test.Session.Retry(TimeSpan.FromSeconds(10));
        Assert.Equal(["PUBLISH 1 1", "PUBLISH 2 2", "PUBLISH 1 1 dup"], test.Pipe.Sent);
    }

    [Fact]
    public async Task TakenBackAndPublisherTold_WhenTheStoreRefusesQos2()
    {
        await using var test = await SessionFixture.OpenAsync(options: new StoreOptions { MaxPendingWrites = 1 });
        test.Session.Attach(test.Pipe);
        var hold = await test.Test.HoldAsync();
        var first = test.Send("1", Qos.ExactlyOnce);
        Assert.Equal(ReasonCode.QuotaExceeded, await test.Send("2", Qos.ExactlyOnce));
        Assert.Equal(ReasonCode.QuotaExceeded, await test.Send("3", Qos.AtLeastOnce));
        hold.Release();
        Assert.Equal(Success, await first);
        Assert.Equal(Success, await test.Send("4", Qos.ExactlyOnce));
        // QoS 1 leaves at once: its publisher tries again, and may repeat it.
        Assert.Equal(["PUBLISH 3 3", "PUBLISH 1 1", "PUBLISH 4 4"], test.Pipe.Sent);
    }

    [Fact]
    public async Task OtherDeliveryKeepsItsIdentifier_WhenOneThatWaitedUnderTheSameIsRefused()
    {
        var limits = new SessionLimits { MaxInflight = 1, MaxQueueLength = 1 };
        var options = new StoreOptions { MaxPendingWrites = 1_000_000, MaxPendingBytes = 64_000_000 };
        await using var test = await SessionFixture.OpenAsync(limits: limits, options: options);
        test.Session.Attach(test.Pipe);
        await test.Send("stuck", Qos.ExactlyOnce);
        for (var i = 2; i <= 65_535; i++) test.Session.TryEnqueue(TestMessage.On("a", ""), SessionFixture.Matched, null, null);
        await test.FlushAsync();
        var hold = await test.Test.HoldAsync();
        var pending = test.Receive(1, ReceiveOutcome.New);
        Assert.Equal(ReasonCode.QuotaExceeded, await test.Send(new string('x', 64_000_001), Qos.ExactlyOnce));
        hold.Release();
        await pending;
        Assert.True(test.Session.Receive(1, Success));
    }

    [Fact]
    public async Task SharedLeftoversAreTold_WhenTheSessionEnds()
    {
        await using var test = await SessionFixture.OpenAsync(limits: new SessionLimits { MaxInflight = 2 });
        test.Session.Subscriptions.Set(new SessionSubscription("$share/g/a", 2, 0, new SubscriptionOptions(Qos.ExactlyOnce)));
        test.Session.Attach(test.Pipe);
        var texts = new (string Text, Qos Qos, ulong Number)[]
        {
            ("sent", Qos.AtLeastOnce, 2), ("sent qos 2", Qos.ExactlyOnce, 2), ("waits", Qos.ExactlyOnce, 2), ("own", Qos.AtLeastOnce, 1),
        };
        foreach (var (text, qos, number) in texts) test.Session.TryEnqueue(TestMessage.On("a", text, qos), [number], null, null);
        Assert.Equal(["sent", "waits"], test.Session.Leftovers().Select(delivery => TestMessage.Text(delivery.Message)));
        test.Session.Close(null);
        Assert.False(test.Session.TryEnqueue(TestMessage.On("a"), [1], null, null));
    }
}
