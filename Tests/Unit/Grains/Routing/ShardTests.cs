using Broker.Grains.Interfaces.Metrics;
using Broker.Grains.Interfaces.Routing;
using Broker.Grains.Interfaces.Topics;
using Broker.Grains.Routing;
using Xunit;

namespace Broker.Tests.Unit.Grains.Routing;

public class ShardTests
{
    private static readonly RouteDestination Own = FakeDestinations.Own;
    private readonly FakeDestinations factory = new();
    private readonly List<ulong> shared = [];
    private readonly BrokerGauges gauges = new();

    [Fact]
    public void MatchIsKeptUntilARouteChanges_WhenAskedAgain()
    {
        var shard = Shard();
        Add(shard, "a", Own, 1);
        var match = Match(shard, "a");
        Assert.True(match.IsCurrent);
        Assert.Same(match, Match(shard, "a"));
        Add(shard, "a", Own, 1); // exists: nothing changes
        Remove(shard, "a", Own, 2); // does not exist
        Assert.True(match.IsCurrent);
        Add(shard, "b", Own, 3);
        Assert.False(match.IsCurrent);
        Assert.NotSame(match, Match(shard, "a"));
        Assert.Equal(2, shard.RouteCount);
    }

    [Fact]
    public void OnlyWhatChangesCounts_WhenRoutesAreRepaired()
    {
        var shard = Shard();
        Add(shard, "a", Own, 1);
        Add(shard, "$share/g/a", Own, 2);
        RouteChange[] changes =
        [
            new(TopicFilter.Parse("a"), Own, 1), new(TopicFilter.Parse("b"), Own, 3), new(TopicFilter.Parse("$share/g/a"), Own, 2, Remove: true),
            new(TopicFilter.Parse("gone"), Own, 4, Remove: true),
        ];
        Assert.Equal(2, shard.Repair(changes));
        Assert.Equal(["a", "b"], shard.Snapshot().Select(route => route.Filter.Text).Order());
        shard.Close();
        Assert.Equal(0, shard.Repair([new(TopicFilter.Parse("c"), Own, 5)]));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(2)]
    public void AnswersAreRight_WhenTheCacheIsOffOrOverflows(int cacheSize)
    {
        var shard = Shard(new RoutingOptions { MatchCacheSize = cacheSize });
        for (var i = 0; i < 10; i++) Add(shard, $"t/{i}", Own, (ulong)i);
        for (var round = 0; round < 3; round++)
        {
            for (var i = 0; i < 10; i++) Assert.Equal([(ulong)i], Dispatch(shard, $"t/{i}"));
        }
    }

    [Fact]
    public void OwnRoutesAreSortedAndOthersGetTheirs_WhenThereAreSeveralDestinations()
    {
        var shard = Shard();
        foreach (var (filter, route) in new[] { ("a/b", 30UL), ("a/+", 10UL), ("#", 20UL), ("a/#", 40UL), ("x", 1UL) }) Add(shard, filter, Own, route);
        Add(shard, "a/+", FakeDestinations.Gateway(1), 7);
        Add(shard, "a/b", FakeDestinations.Gateway(1), 5);
        Add(shard, "a/b", FakeDestinations.Session("c"), 1);
        var match = Match(shard, "a/b");
        Assert.Equal(3, match.DestinationCount);
        Assert.True(match.NeedsReceipt);
        Assert.Equal([10UL, 20, 30, 40], match.Dispatch(TestMessage.On("a/b", "x"), null, shared));
        Assert.Equal(["c: x → 1", "gateway 1: x → 5 7"], factory.Delivered.Order());
        Assert.Empty(shared);
    }

    [Fact]
    public void NothingIsDelivered_WhenNothingMatches()
    {
        var match = Match(Shard(), "a");
        Assert.Equal((0, false), (match.DestinationCount, match.NeedsReceipt));
        Assert.Empty(match.Dispatch(TestMessage.On("a"), null, shared));
    }

    [Fact]
    public void OnlyTheRemovedRouteIsGone_WhenADestinationHasSeveral()
    {
        var shard = Shard();
        Add(shard, "a", FakeDestinations.Session("c"), 1);
        Add(shard, "+", FakeDestinations.Session("c"), 2);
        Remove(shard, "a", FakeDestinations.Session("c"), 1);
        Dispatch(shard, "a", "x");
        Remove(shard, "+", FakeDestinations.Session("c"), 2);
        Dispatch(shard, "a", "y");
        Add(shard, "a", FakeDestinations.Session("d"), 9);
        Dispatch(shard, "a", "z");
        Assert.Equal(["c: x → 2", "d: z → 9"], factory.Delivered);
        Assert.Equal(1, shard.RouteCount);
    }

    [Fact]
    public void OneMemberOfEachGroupGetsIt_WhenSharedSubscriptionsMatch()
    {
        var shard = Shard(new RoutingOptions { SharedStrategy = SharedStrategy.Random, GroupStrategies = { ["g"] = SharedStrategy.RoundRobin } });
        foreach (var route in new ulong[] { 1, 2 }) Add(shard, "$share/g/a", Own, route);
        foreach (var route in new ulong[] { 11, 12 }) Add(shard, "$share/h/a", Own, route);
        foreach (var route in new ulong[] { 21, 22 }) Add(shard, "$queue/a", Own, route);
        Add(shard, "a", Own, 31);
        Assert.Equal(4, Match(shard, "a").DestinationCount);
        for (var i = 0; i < 10; i++) Assert.Equal([31UL], Dispatch(shard, "a"));
        Assert.Equal((10, 10, 10), (shared.Count(r => r < 10), shared.Count(r => r is 11 or 12), shared.Count(r => r > 20)));
        Assert.Equal(5, shared.Count(route => route == 1)); // the strategy of its own
    }

    [Fact]
    public void GroupGoes_WhenItsLastMemberLeaves()
    {
        var shard = Shard();
        Add(shard, "$share/g/a", FakeDestinations.Session("c"), 1);
        Add(shard, "$share/g/a", Own, 2);
        Remove(shard, "$share/g/a", FakeDestinations.Session("c"), 1);
        var match = Match(shard, "a");
        Assert.False(match.NeedsReceipt);
        Remove(shard, "$share/g/a", Own, 9);
        Assert.True(match.IsCurrent);
        Remove(shard, "$share/g/a", Own, 2);
        Remove(shard, "$share/g/a", Own, 2);
        Assert.Equal(0, Match(shard, "a").DestinationCount);
        Add(shard, "$share/g/a", Own, 3);
        Dispatch(shard, "a");
        Assert.Equal([3UL], shared);
    }

    [Fact]
    public void AnotherMemberGetsIt_WhenAMemberLeftItBehind()
    {
        var shard = Shard();
        Add(shard, "$share/g/a", Own, 1);
        Add(shard, "$share/g/a", Own, 2);
        Remove(shard, "$share/g/a", Own, 1);
        Assert.True(shard.TryRedispatch(TopicFilter.Parse("$share/g/a"), TestMessage.On("a"), shared));
        Assert.Equal([2UL], shared);
        Remove(shard, "$share/g/a", Own, 2);
        var dropped = BrokerCounters.Read(Metric.MessagesDroppedNoSubscribers);
        Assert.True(shard.TryRedispatch(TopicFilter.Parse("$share/g/a"), TestMessage.On("a"), shared));
        Assert.True(BrokerCounters.Read(Metric.MessagesDroppedNoSubscribers) > dropped);
        Assert.Equal([2UL], shared);
    }

    [Fact]
    public void GaugesFollow_WhenRoutesComeAndGo()
    {
        var (shard, session) = (Shard(), FakeDestinations.Session("c"));
        Add(shard, "a/b", Own, 1); // a transient session's: its gateway counts the subscription
        Add(shard, "a/b", session, 1);
        Add(shard, "a/b", session, 1); // exists
        Add(shard, "$share/g/a/b", session, 2);
        Add(shard, "#", session, 3);
        Assert.Equal((2, 3, 2, 1), Counted());
        Remove(shard, "a/b", Own, 1);
        Remove(shard, "a/b", session, 9); // does not exist
        Remove(shard, "$share/g/a/b", session, 2);
        Assert.Equal((2, 2, 2, 0), Counted());
        Remove(shard, "a/b", session, 1);
        Assert.Equal((1, 1, 1, 0), Counted());
        shard.Close();
        shard.Close();
        Assert.Equal((0, 0, 0, 0), Counted());
    }

    [Fact]
    public void BroadFiltersCountOnce_WhenEveryShardHasThem()
    {
        var session = FakeDestinations.Session("c");
        foreach (var shard in Enumerable.Range(0, 4).Select(number => Shard(number: number)))
        {
            Add(shard, "#", session, 1);
            Add(shard, "$share/g/+/x", session, 2);
        }

        Assert.Equal((2, 2, 1, 1), Counted());
    }

    [Fact]
    public void EveryCallIsTurnedAway_WhenClosed()
    {
        var shard = Shard();
        Add(shard, "a", Own, 1);
        var match = Match(shard, "a");
        shard.Close();
        Assert.False(match.IsCurrent);
        Assert.False(shard.TryMatch(TopicName.Parse("a"), out _));
        Assert.False(shard.TryChange([new RouteChange(TopicFilter.Parse("b"), Own, 1)]));
        Assert.False(shard.TryRedispatch(TopicFilter.Parse("$share/g/a"), TestMessage.On("a"), shared));
    }

    [Fact]
    public async Task EveryMatchSeesWhatWasChangedBefore_WhenThreadsAskAndChange()
    {
        var shard = Shard();
        using var stop = new CancellationTokenSource();
        var asking = Task.Factory.StartNew(
            () =>
            {
                while (!stop.IsCancellationRequested) Dispatch(shard, "a/b", list: []);
            },
            TaskCreationOptions.LongRunning);
        for (var i = 1UL; i <= 5_000; i++)
        {
            Add(shard, i % 2 == 0 ? "a/b" : "a/+", Own, i);
            Assert.Contains(i, Match(shard, "a/b").Dispatch(TestMessage.On("a/b"), null, []));
            Remove(shard, i % 2 == 0 ? "a/b" : "a/+", Own, i);
            Assert.Empty(Match(shard, "a/b").Dispatch(TestMessage.On("a/b"), null, []));
        }

        await stop.CancelAsync();
        await asking.WaitAsync(TimeSpan.FromSeconds(20));
    }

    [Fact]
    public void OneHolderGetsAnExclusiveFilter_UntilItLeaves()
    {
        var shard = Shard();
        var other = FakeDestinations.Gateway(1);
        Assert.True(Claim(shard, "$exclusive/a/+", Own, 1));
        Assert.True(Claim(shard, "$exclusive/a/+", Own, 1)); // a repetition
        Assert.False(Claim(shard, "$exclusive/a/+", Own, 2)); // another session of the same gateway
        Assert.False(Claim(shard, "$exclusive/a/+", other, 1));
        Assert.False(Claim(shard, "$exclusive/a/+", FakeDestinations.Session("c"), 1));
        Assert.True(Claim(shard, "$exclusive/a/b", other, 3)); // another filter, though it overlaps
        Dispatch(shard, "a/b", "x");
        Assert.Equal([1UL], shared);
        Assert.Equal(["gateway 1: x → 3"], factory.Delivered);
        Assert.Equal(["$exclusive/a/+", "$exclusive/a/b"], shard.Snapshot().Select(route => route.Filter.Text).Order());
        Remove(shard, "$exclusive/a/+", other, 1); // what it never had
        Assert.False(Claim(shard, "$exclusive/a/+", other, 4));
        Remove(shard, "$exclusive/a/+", Own, 1);
        Assert.True(Claim(shard, "$exclusive/a/+", other, 5));
        shard.Forget(other.Gateway!);
        Assert.True(Claim(shard, "$exclusive/a/+", Own, 6));
        Assert.True(Claim(shard, "$exclusive/a/b", FakeDestinations.Session("c"), 1));
        Assert.True(Claim(shard, "$exclusive/a/b", FakeDestinations.Session("c"), 2)); // the same session, whose first attempt came to nothing
        Assert.Equal([2UL], shard.Snapshot(FakeDestinations.Session("c")).Select(route => route.RouteId));
    }

    [Fact]
    public void HolderIsKnownAgain_WhenTheShardIsMadeOfItsRoutes()
    {
        var first = Shard();
        Assert.True(Claim(first, "$exclusive/a", FakeDestinations.Gateway(1), 1));
        var second = Shard();
        Assert.True(second.TryChange(first.Snapshot()));
        Assert.False(Claim(second, "$exclusive/a", Own, 1));
        Assert.True(Claim(second, "$exclusive/a", FakeDestinations.Gateway(1), 1));
        second.Close();
        Assert.False(second.TryClaim(new RouteChange(TopicFilter.Parse("$exclusive/b"), Own, 1), out _));
    }

    private static bool Claim(Shard shard, string filter, RouteDestination destination, ulong route)
    {
        Assert.True(shard.TryClaim(new RouteChange(TopicFilter.Parse(filter), destination, route), out var isGranted));
        return isGranted;
    }

    private (long Topics, long Subscriptions, long Unshared, long Shared) Counted() =>
        (gauges.Read(Gauge.Topics), gauges.Read(Gauge.Subscriptions), gauges.Read(Gauge.Subscribers), gauges.Read(Gauge.SubscriptionsShared));

    private Shard Shard(RoutingOptions? options = null, int number = 0) =>
        new(new DestinationTable(factory), options ?? new RoutingOptions(), new ShardTally(number, new ShardMap(4, 2), gauges));

    private static void Add(Shard shard, string filter, RouteDestination destination, ulong route) =>
        Assert.True(shard.TryChange([new RouteChange(TopicFilter.Parse(filter), destination, route)]));

    private static void Remove(Shard shard, string filter, RouteDestination destination, ulong route) =>
        Assert.True(shard.TryChange([new RouteChange(TopicFilter.Parse(filter), destination, route, Remove: true)]));

    private static IShardMatch Match(Shard shard, string topic)
    {
        Assert.True(shard.TryMatch(TopicName.Parse(topic), out var match));
        return match;
    }

    private ulong[] Dispatch(Shard shard, string topic, string text = "", List<ulong>? list = null) =>
        Match(shard, topic).Dispatch(TestMessage.On(topic, text), null, list ?? shared);
}
