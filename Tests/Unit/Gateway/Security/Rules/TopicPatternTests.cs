using Broker.Gateway.Security.Rules;
using Xunit;

namespace Broker.Tests.Unit.Gateway.Security.Rules;

public class TopicPatternTests
{
    [Theory]
    [InlineData("a/b", "a/b", true)]
    [InlineData("a/b", "a/b/c", false)]
    [InlineData("a/b", "a", false)]
    [InlineData("a/b", "a/+", false)]
    [InlineData("a/b", "a/#", false)]
    [InlineData("a/+", "a/b", true)]
    [InlineData("a/+", "a/+", true)]
    [InlineData("a/+", "a/", true)]
    [InlineData("a/+", "a", false)]
    [InlineData("a/+", "a/b/c", false)]
    [InlineData("a/#", "a", true)]
    [InlineData("a/#", "a/b/c", true)]
    [InlineData("a/#", "a/+", true)]
    [InlineData("a/#", "a/#", true)]
    [InlineData("a/#", "#", false)]
    [InlineData("#", "#", true)]
    [InlineData("#", "+/+", true)]
    [InlineData("+", "#", false)]
    [InlineData("#", "$SYS/x", false)]
    [InlineData("+/x", "$SYS/x", false)]
    [InlineData("$SYS/#", "$SYS/x", true)]
    [InlineData("$SYS/+", "$SYS/x", true)]
    [InlineData("", "", true)]
    [InlineData("/", "", false)]
    [InlineData("eq a/#", "a/#", true)]
    [InlineData("eq a/#", "a/b", false)]
    [InlineData("eq a/%c", "a/id", false)]
    [InlineData("eq a/%c", "a/%c", true)]
    [InlineData("a/%c", "a/id", true)]
    [InlineData("a/%c/#", "a/id/x", true)]
    [InlineData("a/%c", "a/other", false)]
    [InlineData("a/%c", "a/%c", false)]
    [InlineData("a/x%c", "a/xid", true)]
    [InlineData("a/x%c", "a/x%c", false)]
    [InlineData("a/x%c", "a/xidx", false)]
    [InlineData("a/%c-%u/b", "a/id-user/b", true)]
    [InlineData("a/%c-%u/b", "a/id-/b", false)]
    [InlineData("a/%c%u", "a/iduser", true)]
    [InlineData("a/%c%u", "a/id", false)]
    [InlineData("a/50%", "a/50%", true)]
    [InlineData("a/%x%c", "a/%xid", true)]
    [InlineData("%u/%c", "user/id", true)]
    public void TopicsAndFiltersAreCovered(string pattern, string topic, bool covers) =>
        Assert.Equal(covers, TopicPattern.Parse(pattern).Covers(Clients.Of(), topic, broadly: false));

    [Theory]
    [InlineData("a/+", "a/#")]
    [InlineData("+", "#")]
    public void LevelsBelowAreMeant_OnlyIfTheRuleDenies(string pattern, string filter)
    {
        Assert.True(TopicPattern.Parse(pattern).Covers(Clients.Of(), filter, broadly: true));
        Assert.False(TopicPattern.Parse(pattern).Covers(Clients.Of(), filter, broadly: false));
    }

    [Theory]
    [InlineData("+", "d/+")]
    [InlineData("#", "d/#")]
    [InlineData("a/b", "d/a/b")]
    [InlineData("", "d/")]
    [InlineData("$SYS", "d/$SYS")]
    public void NameWithWildcardsOrLevelsGivesNothing(string id, string topic)
    {
        Assert.False(TopicPattern.Parse("d/%c").Covers(Clients.Of(id), topic, broadly: false));
        Assert.False(TopicPattern.Parse("d/%u").Covers(Clients.Of(user: id), topic, broadly: false));
    }

    [Fact]
    public void MissingUserNameMatchesNothing()
    {
        foreach (var topic in new[] { "d/", "d/%u", "d/null", "d/undefined" }) Assert.False(TopicPattern.Parse("d/%u").Covers(Clients.Of(user: null), topic, broadly: false));
    }

    [Fact]
    public void MatchingAllocatesNothing()
    {
        var (pattern, client) = (TopicPattern.Parse("a/%c/+/%u/#"), Clients.Of());
        Assert.True(pattern.Covers(client, "a/id/x/user/y", broadly: false));
        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var i = 0; i < 1_000; i++) pattern.Covers(client, "a/id/x/user/y", broadly: false);
        Assert.Equal(before, GC.GetAllocatedBytesForCurrentThread());
    }

    /// <summary>Another way to say the same: what a filter covers, level by level from behind.</summary>
    [Fact]
    public void RandomPatternsAgreeWithANaiveMatcher()
    {
        var random = new Random(11);
        for (var i = 0; i < 50_000; i++)
        {
            var (pattern, topic, broadly) = (Random(random), Random(random), random.Next(2) == 0);
            Assert.True(
                Naive(pattern.Split('/'), topic.Split('/'), broadly) == TopicPattern.Parse(pattern).Covers(Clients.Of("b"), topic, broadly), $"{pattern} {topic} {broadly}");
        }

        static string Random(Random random)
        {
            string[] levels = [.. Enumerable.Range(0, 1 + random.Next(4)).Select(_ => new[] { "a", "b", "", "+", "$x", "%c" }[random.Next(6)])];
            return string.Join('/', random.Next(4) == 0 ? levels.Append("#") : levels);
        }

        static bool Naive(string[] pattern, string[] topic, bool broadly)
        {
            if (topic[0].StartsWith('$') && pattern[0] is "+" or "#") return false;
            if (pattern[^1] == "#") return topic.Length >= pattern.Length - 1 && Levels(pattern[..^1], topic[..(pattern.Length - 1)], broadly);
            return pattern.Length == topic.Length && Levels(pattern, topic, broadly);
        }

        static bool Levels(string[] pattern, string[] topic, bool broadly) => pattern.Zip(topic).All(pair => pair switch
        {
            ("+", "#") => broadly,
            ("+", _) => true,
            ("%c", var level) => level == "b",
            var (own, level) => own == level,
        });
    }
}
