using Broker.Gateway.Security;
using Xunit;

namespace Broker.Tests.Unit.Gateway.Security;

public class AccessCacheTests
{
    private readonly AccessCache cache = new(2);

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void AnswerIsFound_UntilItIsOldOrRulesHaveChanged(bool isAllowed)
    {
        cache.Add(TopicAccess.Publish, "t", new AccessAnswer(isAllowed, 61_000), epoch: 3, nowMs: 1_000);
        Assert.True(cache.TryFind(TopicAccess.Publish, "t", 60_999, 3, out var found));
        Assert.Equal(isAllowed, found.IsAllowed);
        Assert.False(cache.TryFind(TopicAccess.Publish, "t", 61_000, 3, out _));
        Assert.False(cache.TryFind(TopicAccess.Publish, "t", 1000, 4, out _));
        Assert.False(cache.TryFind(TopicAccess.Subscribe, "t", 1000, 3, out _));
        Assert.False(cache.TryFind(TopicAccess.Publish, "T", 1000, 3, out _));
    }

    [Fact]
    public void OldestMakesRoom_WhenItIsFull()
    {
        foreach (var topic in new[] { "a", "b", "a", "c" }) cache.Add(TopicAccess.Publish, topic, new AccessAnswer(true, 1), 0, 0);
        Assert.Equal(["b", "c"], cache.List(0, 0).Select(one => one.Topic).Order());
        Assert.Equal(2, cache.Count);
    }

    [Fact]
    public void NothingIsFound_WhenItWasCleared()
    {
        cache.Add(TopicAccess.Publish, "a", new AccessAnswer(true, 1), 0, 0);
        cache.Clear();
        Assert.False(cache.TryFind(TopicAccess.Publish, "a", 0, 0, out _));
        foreach (var topic in new[] { "a", "b", "c" }) cache.Add(TopicAccess.Publish, topic, new AccessAnswer(true, 1), 0, 0);
        Assert.Equal(2, cache.Count);
    }
}
