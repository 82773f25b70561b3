using Broker.Grains.Interfaces.Routing;
using Broker.Grains.Interfaces.Topics;
using Broker.Tests.Unit.Grains.Routing;
using Xunit;

namespace Broker.Tests.Unit.Grains.Interfaces.Routing;

public class ShardMapTests
{
    /// <summary>Decides where things are stored: if this fails, every existing store is read wrongly.</summary>
    [Theory]
    [InlineData("a", 31)]
    [InlineData("a/b", 4)]
    [InlineData("a/b/c", 4)]
    [InlineData("/", 46)]
    [InlineData("$SYS/brokers", 40)]
    [InlineData("sensors/é/日本", 6)]
    public void ShardStaysTheSame_WhenTheProgramChanges(string topic, int shard) => Assert.Equal(shard, new ShardMap(64, 2).ShardOf(TopicName.Parse(topic)));

    [Theory]
    [InlineData("", 2)]
    [InlineData("client-1", 46)]
    [InlineData("клиент", 43)]
    public void PartitionStaysTheSame_WhenTheProgramChanges(string key, int partition) => Assert.Equal(partition, new ShardMap(64, 2).PartitionOf(key));

    [Theory]
    [InlineData("#", 1)]
    [InlineData("#", 2)]
    [InlineData("+", 1)]
    [InlineData("+/a", 2)]
    [InlineData("a/+", 2)]
    [InlineData("a/#", 2)]
    [InlineData("a/b/#", 3)]
    [InlineData("$share/g/#", 2)]
    [InlineData("$queue/a/+/c", 2)]
    public void EveryShard_WhenAWildcardIsAmongTheDecidingLevels(string filter, int levels) =>
        Assert.Equal(ShardMap.EveryShard, new ShardMap(64, levels).ShardOf(TopicFilter.Parse(filter)));

    [Theory]
    [InlineData("a", 2, "a")]
    [InlineData("a/b", 2, "a/b")]
    [InlineData("a/b/#", 2, "a/b")]
    [InlineData("a/b/+/c", 2, "a/b/x/c")]
    [InlineData("a/#", 1, "a")]
    [InlineData("a/+", 1, "a/x")]
    [InlineData("//#", 2, "/")]
    [InlineData("$share/g/a/b/#", 2, "a/b/c")]
    [InlineData("$queue/a/b", 2, "a/b")]
    public void ShardOfItsTopics_WhenTheDecidingLevelsAreLiteral(string filter, int levels, string topic)
    {
        var map = new ShardMap(4096, levels);
        Assert.Equal(map.ShardOf(TopicName.Parse(topic)), map.ShardOf(TopicFilter.Parse(filter)));
    }

    [Theory]
    [InlineData(1, 2)]
    [InlineData(64, 1)]
    [InlineData(64, 2)]
    [InlineData(4096, 8)]
    public void TopicIsInTheShardOfEveryFilterThatMatches_WhenRandom(int shards, int levels)
    {
        var map = new ShardMap(shards, levels);
        var random = new RandomTopics(seed: 7 + levels);
        var matches = 0;
        for (var i = 0; i < 50_000; i++)
        {
            var (filter, topic) = (random.Filter(), random.Topic());
            if (!filter.Matches(topic)) continue;
            matches++;
            var shard = map.ShardOf(filter);
            Assert.True(shard == ShardMap.EveryShard || shard == map.ShardOf(topic), $"{filter} matches {topic}");
        }

        Assert.True(matches > 1_000, $"Only {matches} pairs matched.");
    }

    [Fact]
    public void LongTextIsHashedWhole_WhenBeyondTheStackBuffer()
    {
        var map = new ShardMap(4096, 2);
        foreach (var length in (int[])[84, 85, 86, 300, 30_000])
        {
            var text = new string('é', length);
            Assert.Equal(map.ShardOf(TopicName.Parse(text)), map.ShardOf(TopicFilter.Parse(text)));
            Assert.Equal(map.ShardOf(TopicName.Parse(text)), map.PartitionOf(text));
        }
    }

    [Fact]
    public void AllShardsAreUsedEvenly_WhenThereAreManyTopics()
    {
        var map = new ShardMap(64, 2);
        var counts = new int[map.Count];
        for (var i = 0; i < 64_000; i++) counts[map.ShardOf(TopicName.Parse($"site/{i}/temperature"))]++;
        Assert.All(counts, count => Assert.InRange(count, 850, 1_150));
    }
}
