using Broker.Grains.Interfaces.Messages;
using Broker.Grains.Interfaces.Sessions;
using Xunit;

namespace Broker.Tests.Unit.Grains.Interfaces.Sessions;

public class SessionStateTests
{
    private static readonly ApplicationMessage Message = TestMessage.On("a");

    [Fact]
    [Clause("MQTT-2.2.1-4")]
    public void NothingLeavesUnderAnIdentifierInUse_WhenOneDeliveryIsStuckAndIdentifiersWrap()
    {
        var state = new SessionState(new SessionLimits { MaxInflight = 10, MaxQueueLength = 0 });
        Assert.Equal(1, Send(state, Qos.ExactlyOnce)); // never acknowledged
        for (var identifier = 2; identifier <= 65_535; identifier++)
        {
            Assert.Equal(identifier, Send(state, Qos.AtLeastOnce));
            Assert.True(state.Acknowledge((ushort)identifier, out _));
        }

        Assert.False(state.CanSendAtOnce);
        state.Enqueue(new Delivery(Message, Qos.AtLeastOnce, false), out _);
        Assert.Equal(TakeOutcome.Nothing, state.TryTake(0, out _));
        Assert.True(state.Complete(1, out _));
        Assert.Equal(TakeOutcome.Send, state.TryTake(0, out var delivery));
        Assert.Equal((65_536L, (ushort)1), (delivery.Sequence, delivery.PacketIdentifier));
    }

    [Fact]
    public void OrderIsKeptOverAllQos_WhenTheHeadWaitsForTheWindow()
    {
        var state = new SessionState(new SessionLimits { MaxInflight = 1 });
        Send(state, Qos.AtLeastOnce);
        Qos[] waiting = [Qos.AtLeastOnce, Qos.AtMostOnce, Qos.ExactlyOnce, Qos.AtMostOnce];
        foreach (var qos in waiting) state.Enqueue(new Delivery(Message, qos, false), out _);
        Assert.Equal(TakeOutcome.Nothing, state.TryTake(0, out _));
        List<Qos> sent = [];
        for (ushort identifier = 1; identifier <= 3; identifier++)
        {
            if (!state.Acknowledge(identifier, out _)) state.Complete(identifier, out _);
            while (state.TryTake(0, out var delivery) == TakeOutcome.Send) sent.Add(delivery.Qos);
        }

        Assert.Equal(waiting, sent);
    }

    [Fact]
    [Clause("MQTT-4.4.0-1")]
    [Clause("MQTT-4.6.0-1")]
    public void ResendOrderIsSendOrder_WhenSomeWereReleasedOrResent()
    {
        var state = new SessionState(new SessionLimits());
        for (var i = 0; i < 6; i++) Send(state, i % 2 == 0 ? Qos.ExactlyOnce : Qos.AtLeastOnce);
        state.Receive(3, 5, out _);
        state.Acknowledge(4, out _);
        state.Resent(state.InflightInOrder()[0], nowMs: 77);
        Assert.Equal(
            [(1, InflightState.Sent, 77L), (2, InflightState.Sent, 0), (3, InflightState.Released, 5), (5, InflightState.Sent, 0), (6, InflightState.Sent, 0)],
            state.InflightInOrder().Select(one => ((int)one.Delivery.PacketIdentifier, one.State, one.SentAtMs)));
    }

    [Fact]
    [Clause("MQTT-4.3.3-10")]
    [Clause("MQTT-3.3.4-7")]
    public void RepetitionIsKnownAndTooManyAreRefused_WhenReceivingQos2()
    {
        var state = new SessionState(new SessionLimits { MaxAwaitingRelease = 2 });
        Assert.Equal(ReceiveOutcome.New, state.TryReceive(1, 0));
        Assert.Equal(ReceiveOutcome.Repeated, state.TryReceive(1, 1));
        Assert.Equal(ReceiveOutcome.New, state.TryReceive(65_535, 2));
        Assert.Equal(ReceiveOutcome.Full, state.TryReceive(3, 3));
        Assert.Equal(ReceiveOutcome.Repeated, state.TryReceive(65_535, 3));
        Assert.True(state.Release(1));
        Assert.False(state.Release(1));
        Assert.Equal(ReceiveOutcome.New, state.TryReceive(3, 4));
        Assert.Equal([3, 65_535], state.Receipts.Select(receipt => (int)receipt.PacketIdentifier).Order());
    }

    [Fact]
    public void ReceiptsAreFreed_WhenPubrelDidNotComeInTime()
    {
        var state = new SessionState(new SessionLimits { AwaitReleaseTimeoutMs = 100 });
        Assert.Empty(state.ExpireReceipts(0));
        state.TryReceive(1, 1_000);
        state.TryReceive(2, 1_050);
        state.TryReceive(1, 1_090); // a repetition does not renew it
        Assert.Empty(state.ExpireReceipts(1_099));
        Assert.Equal([(ushort)1], state.ExpireReceipts(1_100));
        Assert.Equal(1, state.ReceiptCount);
        Assert.Equal([(ushort)2], state.ExpireReceipts(9_999));
        Assert.Equal(ReceiveOutcome.New, state.TryReceive(1, 9_999));
    }

    [Fact]
    public void NoReceiptIsRefused_WhenThereIsNoLimit()
    {
        var state = new SessionState(new SessionLimits { MaxAwaitingRelease = 0 });
        for (var identifier = 1; identifier <= 65_535; identifier++) Assert.Equal(ReceiveOutcome.New, state.TryReceive((ushort)identifier, 0));
    }

    [Fact]
    public void NewBoundsHold_WhenAnotherConnectionBringsThem()
    {
        var state = new SessionState(new SessionLimits { MaxInflight = 3 });
        for (var i = 0; i < 3; i++) Send(state, Qos.AtLeastOnce);
        state.Enqueue(new Delivery(Message, Qos.AtLeastOnce, false), out _);
        state.Limits = new SessionLimits { MaxInflight = 2 };
        state.Acknowledge(1, out _);
        Assert.Equal(TakeOutcome.Nothing, state.TryTake(0, out _));
        state.Acknowledge(2, out _);
        Assert.Equal(TakeOutcome.Send, state.TryTake(0, out _));
        Assert.Equal(2, state.InflightCount);
    }

    [Fact]
    public void OneIsDroppedForEachThatComes_WhenTheQueueIsLongerThanANewBound()
    {
        var state = new SessionState(new SessionLimits { MaxQueueLength = 5 });
        for (var i = 0; i < 5; i++) state.Enqueue(state.Number(new Delivery(Message, Qos.AtLeastOnce, false)), out _);
        state.Limits = new SessionLimits { MaxQueueLength = 2 };
        Assert.Equal(EnqueueOutcome.QueuedDroppingOldest, state.Enqueue(state.Number(new Delivery(Message, Qos.AtLeastOnce, false)), out var dropped));
        Assert.Equal((1L, 5), (dropped.Sequence, state.QueueLength));
    }

    [Fact]
    public void StateGoesOn_WhenRestored()
    {
        var state = new SessionState(new SessionLimits { MaxQueueLength = 1 });
        state.Restore(new Delivery(Message, Qos.ExactlyOnce, false, Sequence: 70_000), InflightState.Released, 0);
        state.Restore(new Delivery(Message, Qos.AtLeastOnce, false, Sequence: 70_002), null, 0);
        state.Restore(new Delivery(Message, Qos.AtMostOnce, false, Sequence: 70_005), null, 0);
        Assert.Equal((1, 2, 70_005L), (state.InflightCount, state.QueueLength, state.LastSequence));
        Assert.True(state.IsInflight(4_465, 70_000));
        Assert.False(state.IsInflight(4_465, 70_000 + 65_535));
        Assert.Equal(TakeOutcome.Send, state.TryTake(0, out var delivery));
        Assert.Equal((70_002L, 4_467), (delivery.Sequence, delivery.PacketIdentifier));
        Assert.Equal(TakeOutcome.Send, state.TryTake(0, out delivery));
        Assert.Equal(70_005, delivery.Sequence);
        Assert.Equal(70_006, state.Number(delivery).Sequence);
    }

    [Fact]
    public void OneOfTheMiddleIsGone_WhenDiscarded()
    {
        var state = new SessionState(new SessionLimits());
        state.Discard(1);
        for (var i = 0; i < 3; i++) state.Enqueue(state.Number(new Delivery(Message, Qos.AtLeastOnce, false)), out _);
        state.Discard(2);
        Assert.Equal([1L, 3], state.Queued().Select(delivery => delivery.Sequence));
    }

    private static int Send(SessionState state, Qos qos)
    {
        Assert.True(state.CanSendAtOnce);
        var delivery = state.Number(new Delivery(Message, qos, false));
        state.Begin(delivery, 0);
        return delivery.PacketIdentifier;
    }
}
