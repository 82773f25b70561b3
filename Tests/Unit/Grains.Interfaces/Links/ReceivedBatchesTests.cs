using Broker.Grains.Interfaces.Links;
using Broker.Tests.Unit.Grains.Storage;
using Xunit;

namespace Broker.Tests.Unit.Grains.Interfaces.Links;

public class ReceivedBatchesTests
{
    private readonly ManualClock clock = new();
    private readonly Guid link = Guid.NewGuid();

    [Fact]
    public void AnswerIsTheSame_WhenABatchComesAgain()
    {
        var batches = new ReceivedBatches<string>(clock);
        Assert.False(batches.Contains(link, 1, out _));
        batches.Add(link, 1, "one");
        Assert.True(batches.Contains(link, 1, out var answer));
        Assert.Equal("one", answer);
        Assert.False(batches.Contains(link, 2, out _));
        Assert.False(batches.Contains(Guid.NewGuid(), 1, out _));
    }

    [Fact]
    public void IsKnownWithoutAnAnswer_WhenALaterOneHasCome()
    {
        var batches = new ReceivedBatches<string>(clock);
        batches.Add(link, 1, "one");
        batches.Add(link, 2, "two");
        Assert.True(batches.Contains(link, 1, out var answer));
        Assert.Null(answer);
    }

    [Fact]
    public void LinkIsForgotten_WhenItIsSilentForLong()
    {
        var batches = new ReceivedBatches<bool>(clock);
        for (var i = 0; i < 100; i++) batches.Add(Guid.NewGuid(), 1, true);
        clock.Advance(ReceivedBatches<bool>.Memory / 2);
        batches.Add(link, 7, true);
        Assert.Equal(101, batches.Count);
        clock.Advance(ReceivedBatches<bool>.Memory / 2);
        batches.Add(Guid.NewGuid(), 1, true);
        Assert.Equal(2, batches.Count);
        Assert.True(batches.Contains(link, 7, out _));
    }
}
