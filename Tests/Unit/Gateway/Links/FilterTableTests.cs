using System.Runtime.CompilerServices;
using Broker.Gateway.Links;
using Broker.Gateway.Sessions;
using Broker.Grains.Interfaces.Messages;
using Broker.Grains.Interfaces.Routing;
using Broker.Grains.Interfaces.Sessions;
using Broker.Grains.Interfaces.Topics;
using Broker.Tests.Unit.Grains.Routing;
using Xunit;

namespace Broker.Tests.Unit.Gateway.Links;

public class FilterTableTests
{
    private readonly ShardMap map = new(4, 2);
    private readonly FilterTable table;

    public FilterTableTests() => table = new FilterTable(loop: 3, map);

    [Fact]
    public void OneEntryServesAll_WhenAFilterIsAddedAgain()
    {
        var first = table.GetOrAdd(Filter("a/+"), out var isNew);
        Assert.True(isNew);
        Assert.Same(first, table.GetOrAdd(Filter("a/+"), out isNew));
        Assert.False(isNew);
        Assert.Equal(1, table.Count);
        Assert.Same(first, table.Find(table.RouteOf(first)));
        Assert.True(table.TryFind(Filter("a/+"), out var found));
        Assert.Same(first, found);
        Assert.False(table.TryFind(Filter("a/b"), out _));
        Assert.Equal(3, RouteId.Loop(table.RouteOf(first)));
    }

    [Fact]
    public void EachSubscriberHasAnEntry_WhenTheFilterIsShared()
    {
        var first = table.AddShared(Filter("$share/g/a"));
        var second = table.AddShared(Filter("$share/g/a"));
        Assert.NotEqual(table.RouteOf(first), table.RouteOf(second));
        table.Remove(first);
        Assert.Same(first, table.Find(table.RouteOf(first))); // stays for a while, so that what is on its way finds an heir
        Assert.Same(second, table.Find(table.RouteOf(second)));
        Assert.False(table.TryFind(Filter("$share/g/a"), out _));
    }

    [Fact]
    public void OldRouteFindsNothing_WhenItsSlotIsTakenAgainAnyNumberOfTimes()
    {
        var old = table.GetOrAdd(Filter("a"), out _);
        var route = table.RouteOf(old);
        table.Remove(old);
        Assert.Null(table.Find(route));
        for (var i = 0; i < 1000; i++)
        {
            var next = table.GetOrAdd(Filter($"b/{i}"), out _);
            Assert.Equal(old.Slot, next.Slot);
            Assert.Null(table.Find(route));
            Assert.Same(next, table.Find(table.RouteOf(next)));
            table.Remove(next);
        }

        Assert.Equal(0, table.Count);
    }

    [Fact]
    public void NothingIsFound_WhenARouteIsOfNoSlot() => Assert.Null(table.Find(RouteId.Of(3, 0, 1_000_000)));

    [Fact]
    public void AllAreFound_WhenTheTableGrows()
    {
        var filters = Enumerable.Range(0, 100).Select(i => table.GetOrAdd(Filter($"t/{i}"), out _)).ToArray();
        Assert.Equal(100, table.Count);
        foreach (var filter in filters) Assert.Same(filter, table.Find(table.RouteOf(filter)));
        Assert.Equal(100, filters.Select(table.RouteOf).Distinct().Count());
    }

    [Fact]
    public void ShardGetsItsOwnAndBroadRoutes_WhenItRecovers()
    {
        var filters = new[] { "a/b", "a/b/#", "+/b", "x/y/z", "q" }.Select(text => table.GetOrAdd(Filter(text), out _)).ToList();
        filters.Add(table.AddShared(Filter("$share/g/a/b")));
        filters.Add(table.AddShared(Filter("$share/g/#")));
        var subscriber = new Subscriber((TransientSession)RuntimeHelpers.GetUninitializedObject(typeof(TransientSession)), default);
        foreach (var filter in filters) filter.Set(subscriber);
        table.Remove(filters[4]);
        for (var shard = 0; shard < map.Count; shard++)
        {
            var expected = filters.Where((filter, at) => at != 4 && (map.ShardOf(filter.Filter) == shard || map.ShardOf(filter.Filter) == ShardMap.EveryShard))
                .Select(filter => new RouteChange(filter.Filter, FakeDestinations.Own, table.RouteOf(filter)));
            Assert.Equal(expected.OrderBy(route => route.RouteId), table.RoutesOf(shard, FakeDestinations.Own).OrderBy(route => route.RouteId));
            Assert.Equal(expected.Aggregate(default(RouteDigest), (digest, route) => digest.With(route.RouteId)), table.DigestOf(shard));
        }

        Assert.All(Enumerable.Range(0, 4), shard => Assert.Contains(table.RoutesOf(shard, FakeDestinations.Own), route => route.Filter.Text == "+/b"));
    }

    [Fact]
    public void SessionsKnowTheirPlaces_WhenOthersComeAndGo()
    {
        var gateway = new GatewayFixture();
        var clients = Enumerable.Range(0, 4).Select(i => gateway.Open($"c{i}").Subscribe("a")).ToArray();
        Assert.True(gateway.Loop.Filters.TryFind(Filter("a"), out var filter));
        Assert.Equal(4, filter.Count);
        Assert.Equal(ReasonCode.Success, clients[0].Unsubscribe("a")); // the last moves to its place
        Assert.Equal([3, 1, 2], Order());
        Assert.Equal(ReasonCode.Success, clients[3].Unsubscribe("a")); // the one that has moved finds itself
        Assert.Equal([2, 1], Order());
        clients[1].Subscribe("a", Qos.AtLeastOnce); // changes its own options only
        Assert.Equal([Qos.AtMostOnce, Qos.AtLeastOnce], Enumerable.Range(0, 2).Select(at => filter[at].Options.Qos));
        clients[1].Close();
        clients[2].Subscribe("a", Qos.ExactlyOnce);
        Assert.Equal([2], Order());
        Assert.Equal(Qos.ExactlyOnce, filter[0].Options.Qos);
        Assert.Equal(ReasonCode.NoSubscriptionExisted, clients[1].Unsubscribe("a"));
        clients[2].Close();
        Assert.Equal(0, filter.Count);
        Assert.Equal(0, gateway.Loop.Filters.Count);
        Assert.False(gateway.Publish(TestMessage.On("a")));

        IEnumerable<int> Order() => Enumerable.Range(0, filter.Count).Select(at => Array.FindIndex(clients, client => client.Session == filter[at].Session));
    }

    [Fact]
    public void SubscribersAreFoundAndReplaced_WhenSeveralComeAndGo()
    {
        var gateway = new GatewayFixture();
        var (one, two) = (gateway.Open("1"), gateway.Open("2"));
        var filter = new LocalFilter(Filter("a"), 0, 0);
        Assert.True(filter.Set(new Subscriber(one.Session, default)));
        filter.Remove(two.Session);
        filter.Remove(one.Session);
        Assert.Equal(0, filter.Count);
        Assert.True(filter.Set(new Subscriber(one.Session, default)));
        Assert.True(filter.Set(new Subscriber(two.Session, default)));
        Assert.False(filter.Set(new Subscriber(one.Session, new SubscriptionOptions(Qos.AtLeastOnce))));
        Assert.Equal(Qos.AtLeastOnce, filter[0].Options.Qos);
        Assert.Equal(2, filter.Count);
        filter.Remove(one.Session);
        Assert.False(filter.Contains(one.Session));
        Assert.Same(two.Session, filter[0].Session);
        filter.Remove(two.Session);
        Assert.Equal(0, filter.Count);
        Assert.True(filter.Set(new Subscriber(two.Session, default)));
        Assert.Same(two.Session, filter[0].Session);
    }

    private static TopicFilter Filter(string text) => TopicFilter.Parse(text);
}
