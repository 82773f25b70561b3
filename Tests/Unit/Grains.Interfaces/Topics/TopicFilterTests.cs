using System.Text;
using Broker.Grains.Interfaces.Topics;
using Xunit;

namespace Broker.Tests.Unit.Grains.Interfaces.Topics;

public class TopicFilterTests
{
    [Theory]
    [InlineData("a#")]
    [InlineData("a/b#")]
    [InlineData("#/a")]
    [InlineData("a/#/b")]
    [InlineData("##")]
    [InlineData("#+")]
    [InlineData("+#")]
    [InlineData("#/")]
    [Clause("MQTT-4.7.1-1")]
    public void Refused_WhenHashIsNotLastAndAlone(string text) => AssertRefused(text);

    [Theory]
    [InlineData("a+")]
    [InlineData("+a")]
    [InlineData("++")]
    [InlineData("a/+b/c")]
    [InlineData("a/b+/c")]
    [Clause("MQTT-4.7.1-2")]
    public void Refused_WhenPlusIsNotAlone(string text) => AssertRefused(text);

    [Theory]
    [InlineData("$share")]
    [InlineData("$share/")]
    [InlineData("$share//")]
    [InlineData("$share//a")]
    [InlineData("$share/g")]
    [InlineData("$share/g/")]
    [InlineData("$queue/")]
    [InlineData("$share/g/a#")]
    [InlineData("$queue/a+")]
    [InlineData("$share/g/$share/h/a")]
    [InlineData("$share/g/$queue/a")]
    [InlineData("$queue/$share/g/a")]
    [InlineData("$queue/$queue/a")]
    [Clause("MQTT-4.8.2-1")]
    public void Refused_WhenShareHasNoNameOrNoFilter(string text) => AssertRefused(text);

    [Theory]
    [InlineData("$share/+/a")]
    [InlineData("$share/#/a")]
    [InlineData("$share/g+/a")]
    [InlineData("$share/#")]
    [Clause("MQTT-4.8.2-2")]
    public void Refused_WhenShareNameHoldsAWildcard(string text) => AssertRefused(text);

    [Theory]
    [InlineData("")]
    [InlineData("\0")]
    [InlineData("a/\0/b")]
    [Clause("MQTT-4.7.3-1")]
    [Clause("MQTT-4.7.3-2")]
    public void Refused_WhenEmptyOrWithNul(string text) => AssertRefused(text);

    [Fact]
    public void Refused_WhenTextHoldsALoneSurrogate() // not a theory: attributes cannot hold such text
    {
        Assert.False(TopicFilter.TryParse("\uD800", out _));
        Assert.False(TopicFilter.TryParse("a/\uDC00", out _));
    }

    [Fact]
    public void Refused_WhenNull() => Assert.False(TopicFilter.TryParse((string?)null, out _));

    [Fact]
    [Clause("MQTT-4.7.3-3")]
    public void LengthIsBounded_WhenCountedInBytes()
    {
        Assert.True(TopicFilter.TryParse(new string('a', 65_535), out _));
        Assert.False(TopicFilter.TryParse(new string('a', 65_536), out _));
        Assert.True(TopicFilter.TryParse("a" + new string('é', 32_767), out _));
        Assert.False(TopicFilter.TryParse(new string('é', 32_768), out _));
        Assert.True(TopicFilter.TryParse(Encoding.UTF8.GetBytes(new string('a', 65_535)), out _));
        Assert.False(TopicFilter.TryParse(Encoding.UTF8.GetBytes(new string('a', 65_536)), out _));
    }

    [Theory]
    [InlineData("a", "a", null, false)]
    [InlineData("/", "/", null, false)]
    [InlineData("+", "+", null, true)]
    [InlineData("#", "#", null, true)]
    [InlineData("/#", "/#", null, true)]
    [InlineData("+/+/#", "+/+/#", null, true)]
    [InlineData("a/+/b/#", "a/+/b/#", null, true)]
    [InlineData("$SYS/#", "$SYS/#", null, true)]
    [InlineData("$shared/g/a", "$shared/g/a", null, false)]
    [InlineData("$queue", "$queue", null, false)]
    [InlineData("a/$share/g/b", "a/$share/g/b", null, false)]
    [InlineData("$SHARE/g/a", "$SHARE/g/a", null, false)]
    [InlineData("$share/g/a/b", "a/b", "g", false)]
    [InlineData("$share/g//", "/", "g", false)]
    [InlineData("$share/g/#", "#", "g", true)]
    [InlineData("$share/$g/$SYS/+", "$SYS/+", "$g", true)]
    [InlineData("$share/gruppe ü/a", "a", "gruppe ü", false)]
    [InlineData("$queue/a/b", "a/b", "$queue", false)]
    [InlineData("$queue//", "/", "$queue", false)]
    [InlineData("$queue/#", "#", "$queue", true)]
    public void PartsAreFound_WhenValid(string text, string path, string? share, bool wildcard)
    {
        Assert.True(TopicFilter.TryParse(text, out var filter));
        Assert.True(TopicFilter.TryParse(Encoding.UTF8.GetBytes(text), out var fromBytes));
        Assert.Equal(filter, fromBytes);
        Assert.Equal(text, filter.Text);
        Assert.Equal(path, filter.Path);
        Assert.Equal(share, filter.ShareName);
        Assert.Equal(share is not null, filter.IsShared);
        Assert.Equal(wildcard, filter.HasWildcard);
    }

    [Theory]
    [InlineData("a/b", "a/b", true)]
    [InlineData("a/b", "a/B", false)]
    [InlineData("a/b", "a/b/", false)]
    [InlineData("/a", "a", false)]
    [InlineData("sport/tennis/player1/#", "sport/tennis/player1", true)]
    [InlineData("sport/tennis/player1/#", "sport/tennis/player1/ranking", true)]
    [InlineData("sport/tennis/player1/#", "sport/tennis/player1/score/wimbledon", true)]
    [InlineData("sport/tennis/player1/#", "sport/tennis/player10", false)]
    [InlineData("sport/#", "sport", true)]
    [InlineData("sport/#", "sport/", true)]
    [InlineData("sport/#", "sports", false)]
    [InlineData("sport/tennis/+", "sport/tennis/player1", true)]
    [InlineData("sport/tennis/+", "sport/tennis/player1/ranking", false)]
    [InlineData("sport/+", "sport", false)]
    [InlineData("sport/+", "sport/", true)]
    [InlineData("+/+", "/finance", true)]
    [InlineData("/+", "/finance", true)]
    [InlineData("+", "/finance", false)]
    [InlineData("#", "/", true)]
    [InlineData("+/#", "a", true)]
    [InlineData("$share/g/a/+", "a/b", true)]
    [InlineData("$queue/a/#", "a", true)]
    [Clause("MQTT-4.7.1-1")]
    [Clause("MQTT-4.7.1-2")]
    [Clause("MQTT-4.7.3-4")]
    public void MatchFollowsTheStandard_WhenItGivesTheExample(string filter, string topic, bool matches) =>
        Assert.Equal(matches, TopicFilter.Parse(filter).Matches(TopicName.Parse(topic)));

    [Theory]
    [InlineData("#", "$SYS", false)]
    [InlineData("#", "$SYS/a", false)]
    [InlineData("+/monitor/Clients", "$SYS/monitor/Clients", false)]
    [InlineData("$share/g/#", "$SYS/a", false)]
    [InlineData("$queue/+/a", "$SYS/a", false)]
    [InlineData("$SYS/#", "$SYS", true)]
    [InlineData("$SYS/monitor/+", "$SYS/monitor/Clients", true)]
    [InlineData("$share/g/$SYS/#", "$SYS/a", true)]
    [InlineData("a/#", "a/$b", true)]
    [InlineData("/#", "/$SYS", true)]
    [Clause("MQTT-4.7.2-1")]
    public void LeadingWildcardPassesOverDollarTopics_WhenMatched(string filter, string topic, bool matches) =>
        Assert.Equal(matches, TopicFilter.Parse(filter).Matches(TopicName.Parse(topic)));

    [Theory]
    [InlineData("$exclusive/a", "a")]
    [InlineData("$exclusive//", "/")]
    [InlineData("$exclusive/a/+/#", "a/+/#")]
    [InlineData("$exclusive/$SYS/#", "$SYS/#")]
    public void HasAPathAndNoGroupName_WhenExclusive(string text, string path)
    {
        var filter = TopicFilter.Parse(text);
        Assert.Equal((path, true, true, false, null), (filter.Path, filter.IsExclusive, filter.IsGrouped, filter.IsShared, filter.ShareName));
    }

    [Theory]
    [InlineData("$share/aaaa/x", true)] // a prefix as long as that of exclusive ones
    [InlineData("$queue/x", true)]
    [InlineData("$exclusive", false)]
    [InlineData("$Exclusive/x", false)]
    [InlineData("x/$exclusive/x", false)]
    public void IsNotExclusive_WhenItsPrefixIsAnother(string text, bool isGrouped)
    {
        var filter = TopicFilter.Parse(text);
        Assert.Equal((false, isGrouped, isGrouped), (filter.IsExclusive, filter.IsGrouped, filter.IsShared));
    }

    [Theory]
    [InlineData("$exclusive/")]
    [InlineData("$exclusive/a#")]
    [InlineData("$exclusive/$share/g/a")]
    [InlineData("$exclusive/$queue/a")]
    [InlineData("$exclusive/$exclusive/a")]
    [InlineData("$share/g/$exclusive/a")]
    [InlineData("$queue/$exclusive/a")]
    public void IsRefused_WhenExclusiveOfNothingOrOfAGroup(string text) => AssertRefused(text);

    [Fact]
    public void EqualityIsByWholeText_WhenComparedOrHashed()
    {
        Assert.True(TopicFilter.Parse("$share/g/a") == TopicFilter.Parse("$share/g/a"));
        Assert.True(TopicFilter.Parse("$share/g/a") != TopicFilter.Parse("a"));
        Assert.Equal(TopicFilter.Parse("a").GetHashCode(), TopicFilter.Parse("a").GetHashCode());
        Assert.Equal(default, default(TopicFilter));
        Assert.Equal("", default(TopicFilter).ToString());
        Assert.Equal(0, default(TopicFilter).GetHashCode());
    }

    [Fact]
    public void Throws_WhenParsedFromBadText() => Assert.Throws<FormatException>(() => TopicFilter.Parse("a#"));

    private static void AssertRefused(string text)
    {
        Assert.False(TopicFilter.TryParse(text, out var filter));
        Assert.Equal(default, filter);
        Assert.False(TopicFilter.TryParse(Encoding.UTF8.GetBytes(text), out filter));
        Assert.Equal(default, filter);
    }
}
