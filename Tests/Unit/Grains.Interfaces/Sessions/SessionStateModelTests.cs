using Broker.Grains.Interfaces.Messages;
using Broker.Grains.Interfaces.Sessions;
using Xunit;

namespace Broker.Tests.Unit.Grains.Interfaces.Sessions;

/// <summary>Random operations against a model made of plain lists.</summary>
public class SessionStateModelTests
{
    private static readonly ApplicationMessage[] Messages =
        [TestMessage.On("a"), TestMessage.On("b", expiresAt: 500), TestMessage.On("c", expiresAt: 2_000)];

    private readonly List<Delivery> queue = [];
    private readonly List<(Delivery Delivery, bool Released)> inflight = [];
    private SessionLimits limits = new() { MaxInflight = 4, MaxQueueLength = 10 };
    private long numbered;

    [Theory]
    [InlineData(1, false)]
    [InlineData(2, false)]
    [InlineData(3, true)]
    [InlineData(4, true)]
    [Clause("MQTT-2.2.1-3")]
    [Clause("MQTT-3.3.4-9")]
    [Clause("MQTT-4.6.0-1")]
    public void AnswersLikeTheModel_WhenOperationsAreRandom(int seed, bool numberFirst)
    {
        var random = new Random(seed);
        var state = new SessionState(limits);
        for (var step = 0L; step < 20_000; step++)
        {
            var now = step / 7;
            switch (random.Next(10))
            {
                case < 3:
                    Deliver(state, new Delivery(Messages[random.Next(Messages.Length)], (Qos)random.Next(3), false), numberFirst, now);
                    break;
                case < 6:
                    Take(state, now);
                    break;
                case 6 when random.Next(50) == 0:
                    limits = limits with { MaxInflight = random.Next(1, 20), MaxQueueLength = random.Next(0, 20), QueueQos0 = random.Next(2) == 0 };
                    state.Limits = limits;
                    break;
                default:
                    Answer(state, random, now);
                    break;
            }

            AssertSame(state);
        }

        Assert.True(state.LastSequence > 1_000, $"Only {state.LastSequence} were numbered.");
    }

    private void Deliver(SessionState state, Delivery delivery, bool numberFirst, long now)
    {
        var atOnce = queue.Count == 0 && inflight.Count < limits.MaxInflight && !InUse(Identifier(numbered + 1));
        Assert.Equal(atOnce, state.CanSendAtOnce);
        if (atOnce && delivery.Qos != Qos.AtMostOnce)
        {
            delivery = state.Number(delivery);
            Assert.Equal(++numbered, delivery.Sequence);
            state.Begin(delivery, now);
            inflight.Add((delivery, false));
            return;
        }

        if (delivery.Qos == Qos.AtMostOnce && !limits.QueueQos0)
        {
            Assert.Equal(EnqueueOutcome.RefusedQos0, state.Enqueue(delivery, out _));
            return;
        }

        // A durable session numbers what waits, a transient one what leaves.
        if (numberFirst) delivery = state.Number(delivery);
        if (numberFirst) numbered++;
        var full = limits.MaxQueueLength > 0 && queue.Count >= limits.MaxQueueLength;
        Assert.Equal(full ? EnqueueOutcome.QueuedDroppingOldest : EnqueueOutcome.Queued, state.Enqueue(delivery, out var dropped));
        Assert.Equal(full ? queue[0] : default, dropped);
        if (full) queue.RemoveAt(0);
        queue.Add(delivery);
    }

    private void Take(SessionState state, long now)
    {
        var outcome = state.TryTake(now, out var taken);
        if (queue.Count == 0)
        {
            Assert.Equal((TakeOutcome.Nothing, default), (outcome, taken));
            return;
        }

        var head = queue[0];
        if (head.Message.ExpiresAt != 0 && head.Message.ExpiresAt <= now)
        {
            Assert.Equal((TakeOutcome.Expired, head), (outcome, taken));
        }
        else if (head.Qos == Qos.AtMostOnce)
        {
            Assert.Equal((TakeOutcome.Send, head), (outcome, taken));
        }
        else
        {
            var expected = head.Sequence == 0 ? head with { Sequence = numbered + 1 } : head;
            if (inflight.Count >= limits.MaxInflight || InUse(Identifier(expected.Sequence)))
            {
                Assert.Equal((TakeOutcome.Nothing, default), (outcome, taken));
                return;
            }

            Assert.Equal((TakeOutcome.Send, expected), (outcome, taken));
            numbered = Math.Max(numbered, expected.Sequence);
            inflight.Add((taken, false));
        }

        queue.RemoveAt(0);
    }

    private void Answer(SessionState state, Random random, long now)
    {
        // Now and then an identifier that is not in flight.
        var at = random.Next(-1, inflight.Count);
        var identifier = at < 0 ? (ushort)random.Next(65_536) : inflight[at].Delivery.PacketIdentifier;
        at = inflight.FindIndex(one => one.Delivery.PacketIdentifier == identifier);
        var qos = at < 0 ? Qos.AtMostOnce : inflight[at].Delivery.Qos;
        Delivery told;
        switch (random.Next(3))
        {
            case 0:
                Assert.Equal(qos == Qos.AtLeastOnce, state.Acknowledge(identifier, out told));
                Assert.Equal(qos == Qos.AtLeastOnce ? inflight[at].Delivery : default, told);
                if (qos == Qos.AtLeastOnce) inflight.RemoveAt(at);
                break;
            case 1:
                Assert.Equal(qos == Qos.ExactlyOnce, state.Receive(identifier, now, out told));
                Assert.Equal(qos == Qos.ExactlyOnce ? inflight[at].Delivery : default, told);
                if (qos == Qos.ExactlyOnce) inflight[at] = (inflight[at].Delivery, true);
                break;
            default:
                Assert.Equal(qos == Qos.ExactlyOnce, state.Complete(identifier, out told));
                Assert.Equal(qos == Qos.ExactlyOnce ? inflight[at].Delivery : default, told);
                if (qos == Qos.ExactlyOnce) inflight.RemoveAt(at);
                break;
        }
    }

    private void AssertSame(SessionState state)
    {
        Assert.Equal((queue.Count, inflight.Count, numbered), (state.QueueLength, state.InflightCount, state.LastSequence));
        var ordered = state.InflightInOrder();
        Assert.Equal(
            inflight.Select(one => (one.Delivery.Sequence, one.Released)),
            ordered.Select(one => (one.Delivery.Sequence, one.State == InflightState.Released)));
        Assert.True(Array.TrueForAll(ordered, one => one.Delivery.PacketIdentifier != 0));
        Assert.Equal(ordered.Length, ordered.Select(one => one.Delivery.PacketIdentifier).Distinct().Count());
        Assert.Equal(queue, state.Queued());
    }

    private bool InUse(int identifier) => inflight.Exists(one => one.Delivery.PacketIdentifier == identifier);

    private static int Identifier(long sequence) => (int)((sequence - 1) % 65_535 + 1);
}
