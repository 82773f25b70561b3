using Broker.Grains.Interfaces.Messages;
using Broker.Grains.Interfaces.Sessions;
using Xunit;

namespace Broker.Tests.Unit.Grains.Interfaces.Sessions;

public class SessionQueueTests
{
    private static readonly QueuePriorities Priorities = new(new Dictionary<string, byte> { ["high"] = 2, ["low"] = 1 }, Default: 0);

    [Fact]
    public void FirstInFirstOut_WhenThereAreNoPriorities()
    {
        var queue = new SessionQueue(null);
        for (var i = 1; i <= 100; i++) Assert.False(queue.Enqueue(On(i % 2 == 0 ? "a" : "b", i), 0, out _));
        Assert.Equal(Enumerable.Range(1, 100).Select(i => (long)i), TakeAll(queue));
    }

    [Fact]
    public void HigherPriorityGoesFirst_WhenPrioritiesDiffer()
    {
        var queue = new SessionQueue(Priorities);
        queue.Enqueue(On("other", 1), 0, out _);
        queue.Enqueue(On("low", 2), 0, out _);
        queue.Enqueue(On("high", 3), 0, out _);
        queue.Enqueue(On("high", 4), 0, out _);
        Assert.Equal([3L, 4, 2, 1], TakeAll(queue));
    }

    [Fact]
    public void LowerPrioritiesGetTheirTurns_WhenHigherOnesNeverRunDry()
    {
        var queue = new SessionQueue(Priorities);
        for (var i = 0; i < 1_000; i++)
        {
            queue.Enqueue(On("high", 2), 0, out _);
            queue.Enqueue(On("low", 1), 0, out _);
            queue.Enqueue(On("other", 0), 0, out _);
        }

        var round = Enumerable.Repeat(2L, 20).Concat(Enumerable.Repeat(1L, 10)).Append(0L).ToArray();
        Assert.Equal([.. round, .. round, .. round], TakeAll(queue).Take(93));
    }

    [Fact]
    public void DequeueTakesWhatPeekShowed_WhenLanesRunOutOfTurns()
    {
        var queue = new SessionQueue(Priorities);
        var random = new Random(5);
        for (var i = 1; i < 20_000; i++)
        {
            if (random.Next(2) == 0) queue.Enqueue(On(random.Next(3) switch { 0 => "high", 1 => "low", _ => "other" }, i), 50, out _);
            else if (queue.TryPeek(out var shown)) Assert.Equal(shown, queue.Dequeue());
            else Assert.Equal(0, queue.Count);
            Assert.Equal(queue.Enumerate().Count(), queue.Count);
        }
    }

    [Fact]
    public void OldestOfTheSameLaneIsDropped_WhenItIsFull()
    {
        var queue = new SessionQueue(Priorities);
        queue.Enqueue(On("high", 1), 2, out _);
        queue.Enqueue(On("other", 2), 2, out _);
        queue.Enqueue(On("other", 3), 2, out _);
        Assert.True(queue.Enqueue(On("other", 4), 2, out var dropped));
        Assert.Equal(2, dropped.Sequence);
        Assert.Equal(3, queue.Count);
        Assert.Equal([1L, 3, 4], TakeAll(queue));
    }

    [Fact]
    public void OrderOfTheOthersStays_WhenOneIsDiscarded()
    {
        var queue = new SessionQueue(Priorities);
        for (var i = 1; i <= 4; i++) queue.Enqueue(On("high", i), 0, out _);
        for (var i = 5; i <= 8; i++) queue.Enqueue(On("other", i), 0, out _);
        queue.Discard(2);
        queue.Discard(8);
        queue.Discard(99);
        Assert.Equal(6, queue.Count);
        Assert.Equal([1L, 3, 4, 5, 6, 7], TakeAll(queue));
    }

    [Fact]
    public void NothingIsLeft_WhenCleared()
    {
        var queue = new SessionQueue(Priorities);
        queue.Enqueue(On("high", 1), 0, out _);
        queue.Clear();
        Assert.False(queue.TryPeek(out _));
        Assert.Empty(queue.Enumerate());
        queue.Enqueue(On("low", 2), 0, out _);
        Assert.Equal([2L], TakeAll(queue));
    }

    private static Delivery On(string topic, long sequence) => new(TestMessage.On(topic), Qos.AtLeastOnce, false, Sequence: sequence);

    private static List<long> TakeAll(SessionQueue queue)
    {
        List<long> taken = [];
        while (queue.TryPeek(out _)) taken.Add(queue.Dequeue().Sequence);
        return taken;
    }
}
