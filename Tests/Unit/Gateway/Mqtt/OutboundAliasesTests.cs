using System.Text;
using Broker.Gateway.Mqtt;
using Broker.Grains.Interfaces.Topics;
using Xunit;

namespace Broker.Tests.Unit.Gateway.Mqtt;

public class OutboundAliasesTests
{
    [Theory]
    [InlineData(2, 2)]
    [InlineData(65_535, 256)]
    [Clause("MQTT-3.1.2-26")]
    public void TopicsAreSentInFull_WhenAliasesAreUsedUp(ushort maximum, int known)
    {
        var aliases = new OutboundAliases(maximum);
        for (var i = 1; i <= known; i++) Assert.Equal(($"t/{i}", i), Use(aliases, $"t/{i}"));
        Assert.Equal(("more", 0), Use(aliases, "more"));
        for (var i = 1; i <= known; i++) Assert.Equal(("", i), Use(aliases, $"t/{i}"));
    }

    [Fact]
    public void AliasIsFree_WhenThePacketThatSetsItIsNotSent()
    {
        var aliases = new OutboundAliases(1);
        aliases.Undo(TopicName.Parse("a"), (ushort)Use(aliases, "a").Alias, "a"u8);
        Assert.Equal(("b", 1), Use(aliases, "b"));
        aliases.Undo(TopicName.Parse("b"), (ushort)Use(aliases, "b").Alias, []); // was set before: the client knows it
        Assert.Equal(("", 1), Use(aliases, "b"));
    }

    private static (string Topic, int Alias) Use(OutboundAliases aliases, string topic)
    {
        var sent = aliases.Use(TopicName.Parse(topic), Encoding.UTF8.GetBytes(topic), out var alias);
        return (Encoding.UTF8.GetString(sent), alias);
    }
}
