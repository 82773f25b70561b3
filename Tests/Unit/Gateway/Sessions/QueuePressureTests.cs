using Broker.Gateway.Links;
using Broker.Grains.Interfaces.Messages;
using Broker.Grains.Interfaces.Metrics;
using Broker.Grains.Interfaces.Sessions;
using Xunit;

namespace Broker.Tests.Unit.Gateway.Sessions;

public class QueuePressureTests
{
    private const int Limit = 400;
    private static readonly TimeSpan Patience = TimeSpan.FromMilliseconds(50);
    private readonly GatewayFixture gateway = new();
    private readonly Client slow;
    private readonly List<string> wentOn = [];
    private ushort acknowledged;

    public QueuePressureTests()
    {
        slow = gateway.Open("slow", new SessionLimits { MaxQueueLength = Limit, MaxInflight = 1 }).Subscribe("a", Qos.AtLeastOnce);
        gateway.Publish(TestMessage.On("a")); // takes the window's only place
    }

    [Fact]
    public void PublishersWait_WhenTheQueueIsMoreThanHalfFull()
    {
        Fill(Limit / 2);
        Assert.Null(gateway.Loop.Congested);
        Assert.NotNull(Publish());
    }

    [Fact]
    public void PublishersGoOnOneAfterTheOther_WhenTheQueueIsBelowAQuarter()
    {
        Fill(Limit / 2);
        Publish()!.WhenRoom(() => GoOn("first", Limit / 2));
        gateway.Loop.Congested = null;
        Assert.NotNull(Publish()); // others queue up behind
        gateway.Loop.Congested!.WhenRoom(() => GoOn("second", 0));
        TakeDownTo((Limit / 4) + 1);
        Assert.Empty(wentOn);
        TakeDownTo(Limit / 4);
        gateway.Manual.RunAll();
        Assert.Equal(["first"], wentOn); // it filled the queue again: the second waits on
        TakeDownTo(Limit / 4);
        gateway.Manual.RunAll();
        Assert.Equal(["first", "second"], wentOn);
    }

    [Fact]
    public void NoneStarves_WhenTwoPublishAllTheTime()
    {
        var sent = new int[3];
        Fill((Limit / 2) + 1);
        for (var publisher = 0; publisher < 3; publisher++) Run(publisher);
        for (var round = 0; round < 60; round++)
        {
            TakeDownTo(Limit / 4);
            gateway.Manual.RunAll();
            Assert.InRange(slow.Session.QueueLength, 0, Limit - 1);
        }

        Assert.InRange(sent.Min(), sent.Max() / 2, sent.Max());

        void Run(int publisher)
        {
            ICongestion? behind;
            do
            {
                sent[publisher]++;
                behind = Publish();
            }
            while (behind is null);
            behind.WhenRoom(() => Run(publisher));
        }
    }

    [Fact]
    public void OnePauseAndThenDrops_WhenTheSubscriberIsStuck()
    {
        Fill(Limit / 2);
        Publish()!.WhenRoom(() => wentOn.Add("publisher"));
        gateway.Manual.Advance(Patience - TimeSpan.FromMilliseconds(1));
        Assert.Empty(wentOn);
        gateway.Manual.Advance(TimeSpan.FromMilliseconds(1));
        Assert.Equal(["publisher"], wentOn);
        for (var i = 0; i < 2 * Limit; i++) Assert.Null(Publish());
        Assert.Equal(Limit, slow.Session.QueueLength);
        Assert.Equal(0, gateway.Manual.Timers);
    }

    [Fact]
    public void PublishersWaitAgain_WhenAStuckSubscriberHasMoved()
    {
        OnePauseAndThenDrops_WhenTheSubscriberIsStuck();
        TakeDownTo(Limit - 31);
        Assert.Null(Publish());
        TakeDownTo(Limit - 32);
        Assert.NotNull(Publish());
    }

    [Fact]
    public void PublishersWaitOn_WhenTheSubscriberMovesSlowly()
    {
        Fill(Limit - 100);
        Publish()!.WhenRoom(() => wentOn.Add("publisher"));
        for (var round = 1; round <= 3; round++)
        {
            TakeDownTo(Limit - 99 - (32 * round));
            gateway.Manual.Advance(Patience);
            Assert.Empty(wentOn);
        }

        TakeDownTo(Limit - 99 - (32 * 3) - 31); // one too few
        gateway.Manual.Advance(Patience);
        Assert.Equal(["publisher"], wentOn);
    }

    [Fact]
    public void PublishersGoOn_WhenWhatFilledTheQueueHasExpired()
    {
        var expired = BrokerCounters.Read(Metric.DeliveryDroppedExpired);
        for (var i = 0; i <= Limit / 2; i++) gateway.Publish(TestMessage.On("a", expiresAt: gateway.Loop.NowMs + 1000));
        gateway.Loop.Congested!.WhenRoom(() => wentOn.Add("publisher"));
        gateway.Clock.Advance(TimeSpan.FromSeconds(1));
        Assert.True(slow.Session.Acknowledge(++acknowledged));
        gateway.Manual.RunAll();
        Assert.Equal(["publisher"], wentOn);
        Assert.InRange(BrokerCounters.Read(Metric.DeliveryDroppedExpired) - expired, Limit / 2, long.MaxValue);
    }

    [Fact]
    public void CountedAsExpired_WhenTheOldestOfAFullQueueHasExpired()
    {
        for (var i = 0; i < Limit; i++) gateway.Publish(TestMessage.On("a", expiresAt: gateway.Loop.NowMs + 1000));
        gateway.Clock.Advance(TimeSpan.FromSeconds(1));
        var expired = BrokerCounters.Read(Metric.DeliveryDroppedExpired);
        Fill(Limit);
        Assert.InRange(BrokerCounters.Read(Metric.DeliveryDroppedExpired) - expired, Limit, long.MaxValue);
    }

    [Fact]
    public void AllGoOn_WhenTheSessionEnds()
    {
        Fill(Limit / 2);
        Publish()!.WhenRoom(() => wentOn.Add("1"));
        Publish()!.WhenRoom(() => wentOn.Add("2"));
        slow.Close();
        gateway.Manual.RunAll();
        Assert.Equal(["1", "2"], wentOn);
        gateway.Manual.Advance(Patience);
        Assert.Equal(0, gateway.Manual.Timers);
    }

    [Fact]
    public void NobodyWaits_WhenTheQueueHasNoLimit()
    {
        var open = gateway.Open("open", new SessionLimits { MaxQueueLength = 0 }).Subscribe("b");
        open.Peer.TakesBytes = false;
        for (var i = 0; i < 3000; i++) gateway.Publish(TestMessage.On("b"));
        Assert.Null(gateway.Loop.Congested);
    }

    private void GoOn(string name, int messages)
    {
        wentOn.Add(name);
        for (var i = 0; i < messages; i++) Publish();
    }

    private void Fill(int messages)
    {
        for (var i = 0; i < messages; i++) gateway.Publish(TestMessage.On("a"));
        Assert.Equal(messages, slow.Session.QueueLength);
    }

    private ICongestion? Publish()
    {
        gateway.Loop.Congested = null;
        gateway.Publish(TestMessage.On("a"));
        return gateway.Loop.Congested;
    }

    /// <summary>The client acknowledges, one by one, until so many are left.</summary>
    private void TakeDownTo(int left)
    {
        while (slow.Session.QueueLength > left) Assert.True(slow.Session.Acknowledge(++acknowledged));
    }
}
