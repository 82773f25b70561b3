using System.Text;
using Broker.Grains.Interfaces.Topics;
using Xunit;

namespace Broker.Tests.Unit.Grains.Interfaces.Topics;

public class TopicLevelsTests
{
    [Theory]
    [InlineData("a/b/c", 1, "a")]
    [InlineData("a/b/c", 2, "a/b")]
    [InlineData("a/b/c", 3, "a/b/c")]
    [InlineData("a/b/c", 4, "a/b/c")]
    [InlineData("/a", 1, "")]
    [InlineData("/a", 2, "/a")]
    [InlineData("//", 2, "/")]
    [InlineData("a/", 1, "a")]
    [InlineData("a/", 2, "a/")]
    [InlineData("", 1, "")]
    public void PrefixEndsBeforeTheNextSeparator_WhenThereAreMoreLevels(string text, int levels, string prefix) =>
        Assert.Equal(prefix, Encoding.UTF8.GetString(TopicLevels.Prefix(Encoding.UTF8.GetBytes(text), levels)));

    [Theory]
    [InlineData("", 1)]
    [InlineData("a", 1)]
    [InlineData("/", 2)]
    [InlineData("a//b", 3)]
    public void SeparatorsPlusOne_WhenCounted(string text, int levels) => Assert.Equal(levels, TopicLevels.Count(Encoding.UTF8.GetBytes(text)));
}
