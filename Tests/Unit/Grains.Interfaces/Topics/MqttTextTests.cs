using System.Text;
using Broker.Grains.Interfaces.Topics;
using Xunit;

namespace Broker.Tests.Unit.Grains.Interfaces.Topics;

public class MqttTextTests
{
    /// <summary>Byte sequences that a careless decoder takes for text.</summary>
    public static TheoryData<string, byte[]> NotUtf8 => new()
    {
        { "overlong slash", [0xC0, 0xAF] },
        { "overlong NUL", [0xC0, 0x80] },
        { "overlong in three bytes", [0xE0, 0x80, 0xAF] },
        { "overlong in four bytes", [0xF0, 0x80, 0x80, 0xAF] },
        { "high surrogate", [0xED, 0xA0, 0x80] },
        { "low surrogate", [0xED, 0xBF, 0xBF] },
        { "surrogate pair (CESU-8)", [0xED, 0xA0, 0xBD, 0xED, 0xB8, 0x80] },
        { "above U+10FFFF", [0xF4, 0x90, 0x80, 0x80] },
        { "lone continuation", [0x61, 0x80] },
        { "cut short", [0xE2, 0x82] },
        { "never a byte of UTF-8", [0xFF] },
    };

    [Theory]
    [MemberData(nameof(NotUtf8))]
    [Clause("MQTT-1.5.4-1")]
    public void Refused_WhenNotWellFormed(string name, byte[] bytes)
    {
        Assert.False(MqttText.IsValid(bytes), name);
        Assert.False(MqttText.IsUtf8(bytes), name);
        Assert.False(TopicName.TryParse(bytes, out _), name);
        Assert.False(TopicFilter.TryParse(bytes, out _), name);
        Assert.Throws<DecoderFallbackException>(() => MqttText.Strict.GetString(bytes));
    }

    [Fact]
    [Clause("MQTT-1.5.4-2")]
    public void NulIsRefusedAsTextOnly_WhenWellFormed()
    {
        Assert.False(MqttText.IsValid("a\0b"u8));
        Assert.True(MqttText.IsUtf8("a\0b"u8));
    }

    [Fact]
    [Clause("MQTT-1.5.4-3")]
    public void ByteOrderMarkIsKept_WhenItLeads()
    {
        byte[] marked = [0xEF, 0xBB, 0xBF, (byte)'a'];
        Assert.True(TopicName.TryParse(marked, out var name));
        Assert.Equal("\uFEFFa", name.Text);
        Assert.Equal(marked, name.Utf8.ToArray());
        Assert.True(TopicFilter.TryParse(marked, out var filter));
        Assert.Equal("\uFEFFa", filter.Text);
        Assert.False(filter.Matches(TopicName.Parse("a")));
        Assert.Equal(marked, MqttText.Strict.GetBytes("\uFEFFa"));
    }

    [Fact]
    public void Accepted_WhenEmptyOrAtTheEdgesOfTheCodeSpace()
    {
        Assert.True(MqttText.IsValid([]));
        Assert.True(MqttText.IsValid("\u0001\u007F\u0080\u07FF\u0800\uD7FF\uE000\uFFFD\uFFFE\uFFFF\U00010000\U0010FFFF"u8));
    }
}
