using System.IO.Hashing;
using System.Text;
using Broker.Grains.Interfaces.Topics;
using Xunit;

namespace Broker.Tests.Unit.Grains.Interfaces.Topics;

public class TopicNameTests
{
    [Theory]
    [InlineData("a")]
    [InlineData("/")]
    [InlineData(" ")]
    [InlineData("//a//")]
    [InlineData("$SYS/broker")]
    [InlineData("$share/group/a")]
    [InlineData("é/日本/😀")]
    [Clause("MQTT-4.7.3-1")]
    public void TextIsKeptUnaltered_WhenValid(string text)
    {
        var name = TopicName.Parse(text);
        Assert.Equal(text, name.Text);
        Assert.Equal(text, name.ToString());
        Assert.Equal(Encoding.UTF8.GetBytes(text), name.Utf8.ToArray());
    }

    [Theory]
    [InlineData("")]
    [InlineData("+")]
    [InlineData("#")]
    [InlineData("a/+/b")]
    [InlineData("a/#")]
    [InlineData("a+b")]
    [InlineData("a#")]
    [Clause("MQTT-3.3.2-2")]
    [Clause("MQTT-4.7.0-1")]
    public void Refused_WhenEmptyOrWithWildcard(string text)
    {
        Assert.False(TopicName.TryParse(Encoding.UTF8.GetBytes(text), out var name));
        Assert.Null(name);
        Assert.Throws<FormatException>(() => TopicName.Parse(text));
    }

    [Theory]
    [InlineData("\0")]
    [InlineData("a/\0")]
    [Clause("MQTT-4.7.3-2")]
    public void Refused_WhenItHoldsNul(string text) => Assert.False(TopicName.TryParse(Encoding.UTF8.GetBytes(text), out _));

    [Fact]
    [Clause("MQTT-4.7.3-3")]
    public void LengthIsBounded_WhenCountedInBytes()
    {
        Assert.True(TopicName.TryParse(new byte[TopicName.MaxBytes].Fill((byte)'a'), out var name));
        Assert.Equal(65_535, name.Utf8.Length);
        Assert.False(TopicName.TryParse(new byte[TopicName.MaxBytes + 1].Fill((byte)'a'), out _));
        Assert.Throws<FormatException>(() => TopicName.Parse(new string('é', 32_768)));
    }

    [Fact]
    public void NothingIsMendedSilently_WhenTextHoldsALoneSurrogate() // not a theory: attributes cannot hold such text
    {
        foreach (var text in (string[])["\uD800", "a/\uDC00/b", "\uDE00\uD83D"]) Assert.Throws<FormatException>(() => TopicName.Parse(text));
    }

    [Fact]
    public void BytesAreCopied_WhenParsed()
    {
        var bytes = "a/b"u8.ToArray();
        Assert.True(TopicName.TryParse(bytes, out var name));
        bytes[0] = (byte)'x';
        Assert.Equal("a/b", name.Text);
    }

    [Fact]
    [Clause("MQTT-4.7.3-4")]
    public void EqualityIsByBytes_WhenComparedOrHashed()
    {
        Assert.Equal(TopicName.Parse("a/b"), TopicName.Parse("a/b"));
        Assert.Equal(TopicName.Parse("a/b").GetHashCode(), TopicName.Parse("a/b").GetHashCode());
        Assert.NotEqual(TopicName.Parse("a/b"), TopicName.Parse("A/b"));
        Assert.NotEqual(TopicName.Parse("/a"), TopicName.Parse("a"));
        Assert.NotEqual(TopicName.Parse("\u00E9"), TopicName.Parse("e\u0301"));
        Assert.False(TopicName.Parse("a").Equals(null));
        Assert.False(TopicName.Parse("a").Equals((object)"a"));
    }

    [Fact]
    public void HashCannotBeForeseen_WhenAClientChoosesItsTopics()
    {
        string[] names = ["a", "a/b", "/", new string('x', 17), new string('x', 129), new string('x', 300)];
        Assert.DoesNotContain(names, name => TopicName.Parse(name).GetHashCode() == ((int)XxHash3.HashToUInt64(TopicName.Parse(name).Utf8) | 1));
    }

    [Fact]
    public void EveryLeadingDollarIsSeen_WhenAsked()
    {
        Assert.True(TopicName.Parse("$").StartsWithDollar);
        Assert.True(TopicName.Parse("$SYS/a").StartsWithDollar);
        Assert.False(TopicName.Parse("a/$SYS").StartsWithDollar);
        Assert.False(TopicName.Parse("/$SYS").StartsWithDollar);
    }

    [Theory]
    [InlineData("a", 1)]
    [InlineData("/", 2)]
    [InlineData("a/b", 2)]
    [InlineData("/a/", 3)]
    [InlineData("///", 4)]
    public void EmptyLevelsCount_WhenLevelsAreCounted(string text, int levels) => Assert.Equal(levels, TopicName.Parse(text).LevelCount);
}

file static class Bytes
{
    public static byte[] Fill(this byte[] bytes, byte value)
    {
        Array.Fill(bytes, value);
        return bytes;
    }
}
