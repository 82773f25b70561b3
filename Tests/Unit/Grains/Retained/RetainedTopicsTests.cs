using System.Text;
using Broker.Grains.Interfaces.Topics;
using Broker.Grains.Retained;
using Broker.Tests.Unit.Grains.Routing;
using Xunit;

namespace Broker.Tests.Unit.Grains.Retained;

public class RetainedTopicsTests
{
    private readonly RetainedTopics<string> topics = new();

    [Fact]
    public void TellsWhatItReplaced_WhenSetTwiceAndRemoved()
    {
        var topic = TopicName.Parse("a/b");
        Assert.Null(topics.Get(topic));
        Assert.Null(topics.Set(topic, "1"));
        Assert.Equal("1", topics.Set(TopicName.Parse("a/b"), "2"));
        Assert.Equal("2", topics.Get(topic));
        Assert.Equal(["2"], All("a/b"));
        Assert.Equal(["2"], All("a/+"));
        Assert.Equal(1, topics.Count);
        Assert.Equal("2", topics.Remove(topic));
        Assert.Null(topics.Remove(topic));
        Assert.Empty(All("#"));
        Assert.Equal(0, topics.Count);
    }

    [Theory]
    [InlineData("#", "a b")]
    [InlineData("+/x", "")]
    [InlineData("$SYS/#", "$SYS $SYS/x")]
    [InlineData("$SYS/+", "$SYS/x")]
    [Clause("MQTT-4.7.2-1")]
    public void LeadingWildcardDoesNotMatch_WhenTopicStartsWithDollar(string filter, string expected)
    {
        Fill("$SYS", "$SYS/x", "a", "b");
        Assert.Equal(expected, string.Join(' ', All(filter)));
    }

    [Theory]
    [InlineData("a/#", "a a/ a/b a/b/c")]
    [InlineData("+/state", "b/state d/state")]
    [InlineData("a/+", "a/ a/b")]
    [InlineData("+/+/c", "a/b/c")]
    [InlineData("b/state/#", "b/state b/state/x")]
    [InlineData("c/#", "")]
    [InlineData("+", "a a-b")]
    [Clause("MQTT-4.7.1-1")]
    [Clause("MQTT-4.7.1-2")]
    public void FindsInByteOrder_WhenFilterHasWildcards(string filter, string expected)
    {
        Fill("b/state/x", "a", "a-b", "a/", "a/b", "a/b/c", "ab/stat", "b/set", "b/state", "b/state-x", "d/state", "d/x/y");
        Assert.Equal(expected, string.Join(' ', All(filter)));
    }

    [Fact]
    public void AgreesWithNaiveMatcher_WhenTopicsAndFiltersAreRandom()
    {
        var random = new RandomTopics(3);
        var model = new SortedDictionary<string, TopicName>(StringComparer.Ordinal);
        for (var round = 0; round < 300; round++)
        {
            for (var change = 0; change < 40; change++)
            {
                var topic = random.Topic();
                if (random.Next(3) > 0)
                {
                    Assert.Equal(model.ContainsKey(topic.Text), topics.Set(topic, topic.Text) is not null);
                    model[topic.Text] = topic;
                }
                else
                {
                    Assert.Equal(model.Remove(topic.Text), topics.Remove(topic) is not null);
                }
            }

            Assert.Equal(model.Count, topics.Count);
            for (var check = 0; check < 20; check++)
            {
                var filter = random.Filter();
                Assert.Equal(model.Values.Where(topic => filter.Matches(topic)).Select(topic => topic.Text), All(filter.Text, 1 + random.Next(20)));
            }
        }

        foreach (var topic in model.Values) Assert.NotNull(topics.Remove(topic));
        Assert.Empty(All("#"));
    }

    [Theory]
    [InlineData("#")]
    [InlineData("+/+/state")]
    public void SeesWhatStaysExactlyOnce_WhenTopicsChangeBetweenPages(string filter)
    {
        var random = new Random(4);
        for (var at = 0; at < 20_000; at++) topics.Set(TopicName.Parse($"devices/{at}/state"), $"stays {at}");
        var cursor = default(RetainedCursor);
        var seen = new List<string>();
        bool more;
        do
        {
            var before = seen.Count;
            more = topics.Match(Encoding.UTF8.GetBytes(filter), ref cursor, 100, seen);
            Assert.InRange(seen.Count - before, 0, 100);
            for (var change = 0; change < 50; change++)
            {
                var topic = TopicName.Parse($"devices/{random.Next(20_000)}-{random.Next(2)}/state");
                if (random.Next(2) == 0) topics.Set(topic, "comes and goes");
                else topics.Remove(topic);
            }
        }
        while (more);

        var stayed = seen.Where(value => value.StartsWith("stays", StringComparison.Ordinal)).ToList();
        Assert.Equal(20_000, stayed.Count);
        Assert.Equal(20_000, stayed.Distinct().Count());
        Assert.False(topics.Match(Encoding.UTF8.GetBytes(filter), ref cursor, 100, seen));
    }

    [Fact]
    public void EndsThePageEarly_WhenManyTopicsDoNotMatch()
    {
        for (var at = 0; at < 20_000; at++) topics.Set(TopicName.Parse($"{at}/set"), "x");
        topics.Set(TopicName.Parse("99999/state"), "found");
        var cursor = default(RetainedCursor);
        var found = new List<string>();
        Assert.True(topics.Match("+/state"u8, ref cursor, 10, found));
        Assert.Empty(found);
        while (topics.Match("+/state"u8, ref cursor, 10, found)) Assert.True(found.Count <= 1);
        Assert.Equal(["found"], found);
    }

    [Fact]
    public void PassesOverWholeBranches_WhenTheyCannotMatch()
    {
        for (var at = 0; at < 50_000; at++) topics.Set(TopicName.Parse($"a/x/{at}"), "x");
        topics.Set(TopicName.Parse("a/state"), "a");
        topics.Set(TopicName.Parse("b/state"), "b");
        var cursor = default(RetainedCursor);
        var found = new List<string>();
        Assert.False(topics.Match("+/state"u8, ref cursor, 10, found)); // one page: it did not step through 50,000 topics
        Assert.Equal(["a", "b"], found);
    }

    [Fact]
    public void AllocatesAtMost150BytesATopic_WhenGrowing()
    {
        var names = Enumerable.Range(0, 100_000).Select(at => TopicName.Parse($"devices/{at}/state")).ToArray();
        var before = GC.GetAllocatedBytesForCurrentThread(); // what the hash set outgrew included: half of it stays
        foreach (var name in names) topics.Set(name, "value");
        var bytes = (GC.GetAllocatedBytesForCurrentThread() - before) / (double)names.Length;
        Assert.Equal(names.Length, topics.Count);
        Assert.True(bytes < 150, $"{bytes:F1} bytes a topic");
    }

    private void Fill(params string[] names)
    {
        foreach (var name in names) topics.Set(TopicName.Parse(name), name);
    }

    private List<string> All(string filter, int limit = 3)
    {
        var cursor = default(RetainedCursor);
        var all = new List<string>();
        for (var pages = 0; topics.Match(Encoding.UTF8.GetBytes(filter), ref cursor, limit, all); pages++) Assert.True(pages < 100_000);
        return all;
    }
}
