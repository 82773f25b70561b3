using Broker.Grains.Interfaces.Routing;
using Broker.Grains.Routing;
using Xunit;

namespace Broker.Tests.Unit.Grains.Routing;

public class SharedGroupTests
{
    private readonly FakeDestinations factory = new();
    private readonly List<ulong> own = [];

    [Fact]
    public void SpreadIsRoughlyEven_WhenRandom()
    {
        var group = Group(SharedStrategy.Random, 1, 2, 3, 4);
        var counts = Choices(group, 8_000).CountBy(route => route).ToDictionary();
        Assert.Equal(4, counts.Count);
        Assert.All(counts.Values, count => Assert.InRange(count, 1_750, 2_250)); // six standard deviations
    }

    [Fact]
    public void EachIsTakenInTurn_WhenRoundRobin()
    {
        var group = Group(SharedStrategy.RoundRobin, 1, 2, 3);
        var choices = Choices(group, 30);
        Assert.Equal(3, choices.Take(3).Distinct().Count());
        for (var i = 3; i < choices.Count; i++) Assert.Equal(choices[i - 3], choices[i]);
    }

    [Fact]
    public void SameIsTakenUntilItLeaves_WhenSticky()
    {
        var group = Group(SharedStrategy.Sticky, 1, 2, 3);
        var chosen = Assert.Single(Choices(group, 100).Distinct());
        var other = (ulong)(chosen == 1 ? 2 : 1);
        Assert.True(group.Leave(FakeDestinations.Own, other));
        Assert.True(group.Join(FakeDestinations.Own, 4));
        Assert.Equal(chosen, Assert.Single(Choices(group, 100).Distinct()));
        group.Leave(FakeDestinations.Own, chosen);
        Assert.NotEqual(chosen, Assert.Single(Choices(group, 100).Distinct()));
    }

    [Theory]
    [InlineData(SharedStrategy.HashClientId)]
    [InlineData(SharedStrategy.HashTopic)]
    public void SameKeyGoesToTheSameMember_WhenHashed(SharedStrategy strategy)
    {
        var group = Group(strategy, 1, 2, 3, 4);
        var byTopic = strategy == SharedStrategy.HashTopic;
        Dictionary<string, ulong> chosen = [];
        for (var i = 0; i < 4_000; i++)
        {
            var key = $"{i % 400}";
            own.Clear();
            group.Dispatch(byTopic ? TestMessage.On(key, publisher: $"{i}") : TestMessage.On($"{i}", publisher: key), null, own);
            var route = Assert.Single(own);
            if (!chosen.TryAdd(key, route)) Assert.Equal(chosen[key], route);
        }

        Assert.All(chosen.CountBy(pair => pair.Value), pair => Assert.InRange(pair.Value, 50, 150));
    }

    [Fact]
    public void MemberElsewhereGetsItItself_WhenChosen()
    {
        var group = new SharedGroup(SharedStrategy.RoundRobin, new DestinationTable(factory));
        Assert.False(group.NeedsReceipt);
        Assert.False(group.Dispatch(TestMessage.On("a"), null, own));
        Assert.True(group.Join(FakeDestinations.Own, 1));
        Assert.False(group.NeedsReceipt);
        Assert.True(group.Join(FakeDestinations.Session("c"), 5));
        Assert.True(group.NeedsReceipt);
        for (var i = 0; i < 4; i++) Assert.True(group.Dispatch(TestMessage.On("a", "x"), null, own));
        Assert.Equal([1UL, 1], own);
        Assert.Equal(["c: x → 5", "c: x → 5"], factory.Delivered);
    }

    [Fact]
    public void MembershipIsByDestinationAndRoute_WhenTheyJoinAndLeave()
    {
        var table = new DestinationTable(factory);
        var group = new SharedGroup(SharedStrategy.Random, table);
        Assert.True(group.IsEmpty);
        Assert.True(group.Join(FakeDestinations.Gateway(1), 1));
        Assert.False(group.Join(FakeDestinations.Gateway(1), 1));
        Assert.True(group.Join(FakeDestinations.Gateway(1), 2));
        Assert.False(group.Leave(FakeDestinations.Gateway(1), 3));
        Assert.False(group.Leave(FakeDestinations.Gateway(2), 1));
        Assert.True(group.Leave(FakeDestinations.Gateway(1), 1));
        Assert.True(table.TryFind(FakeDestinations.Gateway(1), out _));
        Assert.True(group.Leave(FakeDestinations.Gateway(1), 2));
        Assert.False(table.TryFind(FakeDestinations.Gateway(1), out _));
        Assert.True(group.IsEmpty);
    }

    private SharedGroup Group(SharedStrategy strategy, params ulong[] members)
    {
        var group = new SharedGroup(strategy, new DestinationTable(factory));
        foreach (var member in members) Assert.True(group.Join(FakeDestinations.Own, member));
        return group;
    }

    private List<ulong> Choices(SharedGroup group, int count)
    {
        own.Clear();
        var message = TestMessage.On("a");
        for (var i = 0; i < count; i++) Assert.True(group.Dispatch(message, null, own));
        return [.. own];
    }
}
