using Broker.Grains.Interfaces.Topics;

namespace Broker.Tests.Unit.Grains.Routing;

/// <summary>Topics and filters over so small an alphabet that they meet often: empty levels, `$`, wildcards, common beginnings.</summary>
internal sealed class RandomTopics(int seed)
{
    private static readonly string[] Levels = ["", "a", "b", "ab", "$", "$a", "é"];
    private readonly Random random = new(seed);

    public int Next(int below) => random.Next(below);

    public TopicName Topic()
    {
        while (true)
        {
            var text = string.Join('/', Enumerable.Range(0, random.Next(1, 6)).Select(_ => Levels[random.Next(Levels.Length)]));
            if (text.Length > 0) return TopicName.Parse(text);
        }
    }

    public TopicFilter Filter()
    {
        while (true)
        {
            var levels = Enumerable.Range(0, random.Next(1, 6)).Select(_ => random.Next(4) == 0 ? "+" : Levels[random.Next(Levels.Length)]).ToList();
            if (random.Next(4) == 0) levels[^1] = "#";
            if (TopicFilter.TryParse(string.Join('/', levels), out var filter) && !filter.IsShared) return filter;
        }
    }
}
