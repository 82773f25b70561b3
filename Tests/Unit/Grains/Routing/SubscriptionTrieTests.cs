using System.Diagnostics;
using System.Text;
using Broker.Grains.Interfaces.Topics;
using Broker.Grains.Routing;
using Xunit;

namespace Broker.Tests.Unit.Grains.Routing;

public class SubscriptionTrieTests
{
    private readonly SubscriptionTrie trie = new();

    [Theory]
    [InlineData("a/b", "a/b", true)]
    [InlineData("a/b", "a/B", false)]
    [InlineData("a", "a/", false)]
    [InlineData("/a", "a", false)]
    [InlineData("a/+", "a/", true)]
    [InlineData("a/+", "a", false)]
    [InlineData("a/+", "a/b/c", false)]
    [InlineData("+/+", "/", true)]
    [InlineData("+/b/+/d", "a/b/c/d", true)]
    [InlineData("+", "/", false)]
    [Clause("MQTT-4.7.1-2")]
    [Clause("MQTT-4.7.3-4")]
    public void MatchesLevelByLevel_WhenFilterHasPlusOrLiterals(string filter, string topic, bool expected) => AssertMatch(filter, topic, expected);

    [Theory]
    [InlineData("#", "a/b", true)]
    [InlineData("a/#", "a", true)]
    [InlineData("a/#", "a/", true)]
    [InlineData("a/#", "a/b/c", true)]
    [InlineData("a/#", "ab", false)]
    [InlineData("+/#", "a", true)]
    [InlineData("/#", "/", true)]
    [InlineData("/#", "a", false)]
    [Clause("MQTT-4.7.1-1")]
    public void MatchesParentAndBelow_WhenFilterEndsInHash(string filter, string topic, bool expected) => AssertMatch(filter, topic, expected);

    [Theory]
    [InlineData("#", "$SYS/a", false)]
    [InlineData("+/a", "$SYS/a", false)]
    [InlineData("+", "$SYS", false)]
    [InlineData("$SYS/#", "$SYS/a", true)]
    [InlineData("$SYS/+", "$SYS/a", true)]
    [InlineData("a/+", "a/$b", true)]
    [InlineData("a/#", "a/$b", true)]
    [Clause("MQTT-4.7.2-1")]
    public void LeadingWildcardDoesNotMatch_WhenTopicStartsWithDollar(string filter, string topic, bool expected) => AssertMatch(filter, topic, expected);

    [Fact]
    public void AgreesWithNaiveMatcher_WhenFiltersAndTopicsAreRandom()
    {
        var random = new RandomTopics(1);
        for (var round = 0; round < 40; round++)
        {
            var mine = new SubscriptionTrie();
            var filters = Enumerable.Range(0, 1 + random.Next(120)).Select(_ => random.Filter()).Distinct().ToArray();
            for (var at = 0; at < filters.Length; at++) Assert.True(mine.Add(Utf8(filters[at]), new Route(at, 7)));
            for (var check = 0; check < 60; check++) // about 40 * 60 filters * 60 topics checks
            {
                var topic = random.Topic();
                var expected = Enumerable.Range(0, filters.Length).Where(at => filters[at].Matches(topic));
                Assert.Equal(expected, Destinations(mine, topic.Text));
            }
        }
    }

    [Fact]
    public void AgreesWithModelAndEndsEmpty_WhenRoutesComeAndGo()
    {
        var random = new RandomTopics(2);
        var model = new HashSet<(string Path, Route Route)>();
        for (var step = 0; step < 60_000; step++)
        {
            var entry = (random.Filter().Text, new Route(random.Next(40), (ulong)random.Next(3)));
            if (random.Next(100) < (step < 40_000 ? 60 : 30)) Assert.Equal(model.Add(entry), trie.Add(Utf8(entry.Text), entry.Item2));
            else Assert.Equal(model.Remove(entry), trie.Remove(Utf8(entry.Text), entry.Item2));
            if (step % 10_000 == 0) AssertHolds(model);
        }

        AssertHolds(model);
        foreach (var (path, route) in model) Assert.True(trie.Remove(Utf8(path), route));
        AssertHolds([]);
        Assert.Equal(1, trie.NodeCount);
    }

    [Fact]
    public void UsesSlotsAgain_WhenFiltersAreReplaced()
    {
        for (var at = 0; at < 20_000; at++)
        {
            trie.Add(Utf8($"devices/{at}/cmd"), new Route(at, 1));
            if (at >= 100) Assert.True(trie.Remove(Utf8($"devices/{at - 100}/cmd"), new Route(at - 100, 1)));
        }

        Assert.Equal(100, trie.FilterCount);
        Assert.Equal(102, trie.NodeCount); // root, `devices`, one a filter
        for (var at = 19_900; at < 20_000; at++) Assert.Equal([at], Destinations(trie, $"devices/{at}/cmd"));
    }

    [Fact]
    public void RaisesVersion_OnlyWhenSomethingChanged()
    {
        Assert.True(trie.Add("a"u8, new Route(1, 1)));
        Assert.False(trie.Add("a"u8, new Route(1, 1)));
        Assert.False(trie.Remove("a"u8, new Route(1, 2)));
        Assert.False(trie.Remove("a/b"u8, new Route(1, 1)));
        Assert.Equal(1, trie.Version);
        Assert.True(trie.Remove("a"u8, new Route(1, 1)));
        Assert.Equal(2, trie.Version);
    }

    [Fact]
    public void ThrowsAtTheNextElement_WhenChangedWhileEnumerated()
    {
        trie.Add("a"u8, new Route(1, 1));
        trie.Add("b"u8, new Route(1, 1));
        using var all = trie.Enumerate().GetEnumerator();
        Assert.True(all.MoveNext());
        trie.Add("c"u8, new Route(1, 1));
        Assert.Throws<InvalidOperationException>(() => all.MoveNext());
    }

    [Fact]
    public void AddsAndRemovesFast_WhenOneFilterHas100000Routes()
    {
        const int count = 100_000;
        var clock = Stopwatch.StartNew();
        for (var at = 0; at < count; at++) Assert.True(trie.Add("all/#"u8, new Route(at, 5)));
        Assert.Equal(count, trie.RouteCount);
        Assert.Equal(Enumerable.Range(0, count), Destinations(trie, "all"));
        for (var at = 0; at < count; at++) Assert.True(trie.Remove("all/#"u8, new Route(at * 37 % count, 5)));
        Assert.Equal(1, trie.NodeCount);
        Assert.True(clock.Elapsed < TimeSpan.FromSeconds(3), $"took {clock.Elapsed}: removing must not scan"); // scanning takes minutes
    }

    [Fact]
    public void StaysSmallAndMatches_WhenFiltersHave65535Levels()
    {
        var deepest = new string('/', TopicName.MaxBytes - 1);
        trie.Add(Utf8(deepest), new Route(0, 1));
        Assert.Equal(2, trie.NodeCount);
        trie.Add(Utf8(string.Concat(Enumerable.Repeat("+/", 32_767)) + "#"), new Route(1, 1));
        trie.Add(Utf8("//////+" + deepest[6..]), new Route(2, 1));
        for (var levels = 1; levels < 200; levels++) trie.Add(Utf8(new string('/', levels * 300) + "#"), new Route(2 + levels, 1));
        Assert.Equal(Enumerable.Range(0, 202), Destinations(trie, deepest));
        foreach (var (path, route) in trie.Enumerate().ToList()) Assert.True(trie.Remove(Utf8(path), route));
        Assert.Equal(1, trie.NodeCount);
    }

    [Fact]
    public void VisitsOnlyWhatExists_WhenEveryLevelBranchesIntoPlusAndLiteral()
    {
        const int levels = 12;
        for (var bits = 0; bits < 1 << levels; bits++)
        {
            trie.Add(Utf8(string.Join('/', Enumerable.Range(0, levels).Select(level => (bits >> level & 1) == 0 ? "a" : "+"))), new Route(bits, 1));
        }

        var topic = string.Join('/', Enumerable.Repeat("a", levels));
        Assert.Equal(Enumerable.Range(0, 1 << levels), Destinations(trie, topic));
        Assert.Equal([(1 << levels) - 1], Destinations(trie, topic.Replace('a', 'b')));
        Assert.Empty(Destinations(trie, topic + "/a"));
    }

    [Fact]
    public void AllocatesNothing_WhenMatching()
    {
        for (var at = 0; at < 1000; at++) trie.Add(Utf8($"bench/{at}/+"), new Route(at, 1));
        for (var at = 0; at < 100; at++) trie.Add("bench/#"u8, new Route(at, 2));
        var into = new List<Route>(200);
        trie.Match("bench/7/x"u8, into);
        Assert.Equal(101, into.Count);
        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var round = 0; round < 1000; round++)
        {
            into.Clear();
            trie.Match("bench/7/x"u8, into);
        }

        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
    }

    [Theory]
    [InlineData("bench/{0}/{1}/+", 54)]
    [InlineData("devices/{2}/cmd", 88)]
    public void AllocatesFewBytesARouteAndNoGarbage_WhenGrowing(string pattern, int most)
    {
        var paths = Enumerable.Range(0, 100_000)
            .Select(at => Utf8(string.Format(null, pattern, at / 1000, at % 1000, new Guid(at, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10)))).ToArray();
        var before = GC.GetAllocatedBytesForCurrentThread(); // what other tests do does not count
        foreach (var path in paths) trie.Add(path, new Route(1, 1));
        var bytes = (GC.GetAllocatedBytesForCurrentThread() - before) / (double)paths.Length;
        Assert.Equal(paths.Length, trie.RouteCount);
        Assert.True(bytes < most, $"{bytes:F1} bytes a route");
    }

    private static byte[] Utf8(TopicFilter filter) => Utf8(filter.Path);

    private static byte[] Utf8(string text) => Encoding.UTF8.GetBytes(text);

    private static IEnumerable<int> Destinations(SubscriptionTrie trie, string topic)
    {
        var into = new List<Route>();
        trie.Match(Utf8(topic), into);
        return into.Select(route => route.Destination).Order();
    }

    private void AssertMatch(string filter, string topic, bool expected)
    {
        Assert.Equal(expected, TopicFilter.Parse(filter).Matches(TopicName.Parse(topic)));
        trie.Add(Utf8(filter), new Route(3, 4));
        var into = new List<Route>();
        trie.Match(Utf8(topic), into);
        Assert.Equal(expected ? [new Route(3, 4)] : [], into);
        trie.Add("other/filter"u8, new Route(9, 9)); // and once more among branches
        trie.Add("a/b/other"u8, new Route(9, 9));
        trie.Add("a/+/other"u8, new Route(9, 9));
        into.Clear();
        trie.Match(Utf8(topic), into);
        Assert.Equal(expected ? [new Route(3, 4)] : [], into);
    }

    private void AssertHolds(HashSet<(string Path, Route Route)> model)
    {
        Assert.Equal(model.Count, trie.RouteCount);
        Assert.Equal(model.Select(entry => entry.Path).Distinct().Count(), trie.FilterCount);
        var all = trie.Enumerate().ToList();
        Assert.Equal(model.Count, all.Count);
        Assert.True(model.SetEquals(all));
    }
}
