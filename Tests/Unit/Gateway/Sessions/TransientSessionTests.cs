using Broker.Gateway.Mqtt.Packets;
using Broker.Grains.Interfaces.Messages;
using Broker.Grains.Interfaces.Metrics;
using Broker.Grains.Interfaces.Sessions;
using Xunit;

namespace Broker.Tests.Unit.Gateway.Sessions;

public class TransientSessionTests
{
    private readonly GatewayFixture gateway = new();

    [Fact]
    public void SubscriptionsAreCounted_WhenMadeReplacedRemovedAndLeft()
    {
        var (one, two) = (gateway.Open("one"), gateway.Open("two"));
        one.Subscribe("a").Subscribe("a", Qos.AtLeastOnce).Subscribe("#").Subscribe("$share/g/a");
        two.Subscribe("a").Subscribe("$share/g/a");
        Assert.Equal((5, 3, 2, 2), Counted());
        Assert.Equal(ReasonCode.Success, one.Unsubscribe("a"));
        Assert.Equal(ReasonCode.NoSubscriptionExisted, one.Unsubscribe("a"));
        Assert.Equal((4, 2, 2, 2), Counted());
        one.Close();
        Assert.Equal((2, 1, 1, 1), Counted());
        two.Close();
        Assert.Equal((0, 0, 0, 0), Counted());

        (long All, long Unshared, long Shared, long Topics) Counted() => (
            gateway.Gauges.Read(Gauge.Subscriptions), gateway.Gauges.Read(Gauge.Subscribers), gateway.Gauges.Read(Gauge.SubscriptionsShared),
            gateway.Gauges.Read(Gauge.Topics));
    }

    [Fact]
    [Clause("MQTT-3.3.4-9")]
    public void RestWaitsForAcknowledgements_WhenTheWindowIsFull()
    {
        var client = Open(new SessionLimits { MaxInflight = 2 });
        for (var i = 1; i <= 4; i++) Publish($"{i}");
        Publish("5", Qos.AtMostOnce);
        Assert.Equal(["a:1 q1 #1", "a:2 q2 #2"], client.Packets());
        Assert.Equal(3, client.Session.QueueLength);
        Assert.True(client.Session.Acknowledge(1));
        Assert.False(client.Session.Acknowledge(1));
        Assert.False(client.Session.Acknowledge(2)); // QoS 2
        Assert.Equal(["a:3 q1 #3"], client.Packets());
        Assert.True(client.Session.Receive(2, ReasonCode.Success));
        Assert.Equal(["Pubrel #2"], client.Packets());
        Assert.True(client.Session.Complete(2));
        Assert.Equal(["a:4 q2 #4", "a:5 q0"], client.Packets());
        Assert.Equal(0, client.Session.QueueLength);

        void Publish(string text, Qos? qos = null) =>
            gateway.Publish(TestMessage.On("a", text, qos ?? (text is "1" or "3" ? Qos.AtLeastOnce : Qos.ExactlyOnce)));
    }

    [Fact]
    public void RefusedMessageLeavesTheWindow_WhenPubrecHasAnError()
    {
        var client = Open(new SessionLimits { MaxInflight = 1 });
        gateway.Publish(TestMessage.On("a", "1", Qos.ExactlyOnce));
        gateway.Publish(TestMessage.On("a", "2", Qos.ExactlyOnce));
        client.Packets();
        Assert.True(client.Session.Receive(1, ReasonCode.QuotaExceeded));
        Assert.Equal(["a:2 q2 #2"], client.Packets());
    }

    [Fact]
    public void QueueDrainsInOrder_WhenTheSocketTakesMoreAgain()
    {
        var client = Open();
        client.Peer.TakesBytes = false;
        for (var i = 0; i < 5; i++) gateway.Publish(TestMessage.On("a", $"{i}", i % 2 == 0 ? Qos.AtMostOnce : Qos.AtLeastOnce));
        Assert.Empty(client.Packets());
        Assert.Equal(5, client.Session.QueueLength);
        client.Session.Drain();
        Assert.Equal(5, client.Session.QueueLength);
        client.Peer.TakesBytes = true;
        client.Session.Drain();
        Assert.Equal(["a:0 q0", "a:1 q1 #1", "a:2 q0", "a:3 q1 #2", "a:4 q0"], client.Packets());
    }

    [Fact]
    public void OldestIsDropped_WhenTheQueueIsFull()
    {
        var client = Open(new SessionLimits { MaxQueueLength = 2 });
        client.Peer.TakesBytes = false;
        for (var i = 0; i < 4; i++) gateway.Publish(TestMessage.On("a", $"{i}"));
        client.Peer.TakesBytes = true;
        client.Session.Drain();
        Assert.Equal(["a:2 q1 #1", "a:3 q1 #2"], client.Packets());
    }

    [Fact]
    public void Qos0IsDropped_WhenItIsNotToBeQueued()
    {
        var client = Open(new SessionLimits { QueueQos0 = false });
        client.Peer.TakesBytes = false;
        gateway.Publish(TestMessage.On("a", "0", Qos.AtMostOnce));
        gateway.Publish(TestMessage.On("a", "1"));
        Assert.Equal(1, client.Session.QueueLength);
    }

    [Fact]
    [Clause("MQTT-3.3.2-5")]
    public void ExpiredMessagesAreNotSent_WhenTheyWaitedTooLong()
    {
        var client = Open();
        client.Peer.TakesBytes = false;
        gateway.Publish(TestMessage.On("a", "short", expiresAt: gateway.Loop.NowMs + 1000));
        gateway.Publish(TestMessage.On("a", "long", expiresAt: gateway.Loop.NowMs + 60_000));
        gateway.Manual.Advance(TimeSpan.FromSeconds(2));
        client.Peer.TakesBytes = true;
        client.Session.Drain();
        Assert.Equal(["a:long q1 #1"], client.Packets());
    }

    [Fact]
    [Clause("MQTT-4.4.0-1")]
    public void UnacknowledgedIsSentAgain_WhenItIsOldEnough()
    {
        var client = Open();
        gateway.Publish(TestMessage.On("a", "1"));
        gateway.Publish(TestMessage.On("a", "2", Qos.ExactlyOnce));
        client.Session.Receive(2, ReasonCode.Success);
        gateway.Manual.Advance(TimeSpan.FromSeconds(10));
        gateway.Publish(TestMessage.On("a", "3"));
        client.Packets();
        client.Session.Retry(TimeSpan.Zero);
        Assert.Empty(client.Packets());
        client.Session.Retry(TimeSpan.FromSeconds(10));
        Assert.Equal(["a:1 q1 #1 dup", "Pubrel #2"], client.Packets());
        client.Session.Retry(TimeSpan.FromSeconds(10)); // its time counts from the last sending
        Assert.Empty(client.Packets());
    }

    [Fact]
    public void IdentifierIsFree_WhenPubrelDoesNotComeInTime()
    {
        var client = Open(new SessionLimits { MaxAwaitingRelease = 1, AwaitReleaseTimeoutMs = 5000 });
        Assert.Equal(ReceiveOutcome.New, client.Session.TryReceive(7, null, out _));
        Assert.Equal(ReceiveOutcome.Repeated, client.Session.TryReceive(7, null, out _));
        Assert.Equal(ReceiveOutcome.Full, client.Session.TryReceive(8, null, out _));
        gateway.Manual.Advance(TimeSpan.FromSeconds(5));
        client.Session.Retry(TimeSpan.Zero);
        Assert.False(client.Session.Release(7, null));
        Assert.Equal(ReceiveOutcome.New, client.Session.TryReceive(8, null, out _));
        Assert.True(client.Session.Release(8, null));
    }

    [Fact]
    [Clause("MQTT-4.8.2-5")]
    public void OtherMemberGetsWhatIsLeft_WhenAMemberOfASharedSubscriptionCloses()
    {
        var leaving = gateway.Open("leaving", new SessionLimits { MaxInflight = 2 }).Subscribe("$share/g/s", Qos.ExactlyOnce).Subscribe("a", Qos.AtLeastOnce);
        gateway.Publish(TestMessage.On("s", "inflight 1"));
        gateway.Publish(TestMessage.On("s", "inflight 2", Qos.ExactlyOnce));
        gateway.Publish(TestMessage.On("s", "expired", expiresAt: gateway.Loop.NowMs + 1000));
        gateway.Publish(TestMessage.On("s", "queued 0", Qos.AtMostOnce));
        gateway.Publish(TestMessage.On("s", "queued 2", Qos.ExactlyOnce));
        gateway.Publish(TestMessage.On("a", "own"));
        Assert.Equal(2, leaving.Packets().Count);
        gateway.Manual.Advance(TimeSpan.FromSeconds(1));
        var staying = gateway.Open("staying").Subscribe("$share/g/s", Qos.ExactlyOnce);
        leaving.Close();
        Assert.Equal(["s:inflight 1 q1 #1", "s:queued 0 q0", "s:queued 2 q2 #2"], staying.Packets());
        Assert.Empty(leaving.Packets());
        Assert.Equal(0, leaving.Session.SubscriptionCount);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void WillIsPublishedAsAsked_WhenItCloses(bool publishWill)
    {
        var watcher = gateway.Open("watcher").Subscribe("will");
        var client = gateway.Open("client", will: new Will(TestMessage.On("will", "gone")));
        client.Close(publishWill);
        Assert.Equal(publishWill ? ["will:gone q0"] : [], watcher.Packets());
    }

    [Fact]
    public void NothingIsSent_WhenItHasClosed()
    {
        var client = Open();
        client.Peer.TakesBytes = false;
        gateway.Publish(TestMessage.On("a"));
        client.Close();
        client.Peer.TakesBytes = true;
        client.Session.Drain();
        client.Session.Deliver(new Delivery(TestMessage.On("a"), Qos.AtMostOnce, false), shared: false);
        Assert.Empty(client.Packets());
    }

    [Fact]
    [Clause("MQTT-3.1.2-25")]
    public void WindowStaysOpen_WhenAMessageIsTooLarge()
    {
        var client = Open(new SessionLimits { MaxInflight = 1 });
        client.Sender.Limit(new ConnectPacket { Version = ProtocolVersion.V311, CleanStart = true, KeepAlive = 0, ClientId = "c", MaximumPacketSize = 30 });
        gateway.Publish(TestMessage.On("a", new string('x', 100)));
        gateway.Publish(TestMessage.On("a", new string('x', 100), Qos.ExactlyOnce));
        gateway.Publish(TestMessage.On("a", "fits"));
        Assert.Equal(["a:fits q1 #3"], client.Packets());
    }

    private Client Open(SessionLimits? limits = null) => gateway.Open("client", limits).Subscribe("a", Qos.ExactlyOnce);
}
