using System.Text;
using Broker.Gateway.Hosting;
using Broker.Gateway.Mqtt;
using Broker.Gateway.Mqtt.Packets;
using Broker.Grains.Interfaces.Messages;
using Xunit;

namespace Broker.Tests.Unit.Gateway.Mqtt;

public class PublisherTopicsTests
{
    private readonly GatewayFixture gateway = new();

    [Fact]
    public void TopicIsRemembered_WhenItComesAgain()
    {
        var topics = Make();
        var first = Resolved(topics, "a/b");
        Assert.Same(first, Resolved(topics, "a/b"));
        Assert.Equal("a/b", first.Route.Name.Text);
        Assert.Equal(gateway.Map.ShardOf(first.Route.Name), first.Route.Shard);
        var others = Enumerable.Range(0, 8).Select(i => Resolved(topics, $"t/{i}")).ToArray();
        Assert.Equal(Enumerable.Range(0, 8).Select(i => $"t/{i}"), others.Select(topic => topic.AsWritten));
        var again = Enumerable.Range(0, 8).Select(i => Resolved(topics, $"t/{i}"));
        Assert.Contains(again.Zip(others), pair => ReferenceEquals(pair.First, pair.Second));
    }

    [Fact]
    public void RightTopicIsFound_WhenManyTakeTheSamePlaces()
    {
        var topics = Make();
        for (var round = 0; round < 3; round++)
        {
            for (var i = 0; i < 500; i++) Assert.Equal($"t/{i}", Resolved(topics, $"t/{i}").Route.Name.Text);
        }
    }

    [Theory]
    [InlineData("")]
    [InlineData("a/+")]
    [InlineData("#")]
    [InlineData("a\0")]
    public void TopicIsRefused_WhenItIsNoTopicName(string topic)
    {
        var topics = Make();
        Assert.Equal(ReasonCode.TopicNameInvalid, Refused(topics, topic));
        if (topic.Length > 0) Assert.Equal(ReasonCode.TopicNameInvalid, Refused(topics, topic, alias: 1));
    }

    [Fact]
    public void MountpointStandsBefore_WhenTheClientHasOne()
    {
        var topic = Resolved(Make(mountpoint: "m/"), "a");
        Assert.Equal("m/a", topic.Route.Name.Text);
        Assert.Equal("a", topic.AsWritten);
        Assert.Equal(ReasonCode.TopicNameInvalid, Refused(Make(mountpoint: "m/"), new string('x', 65_535)));
    }

    [Theory]
    [InlineData(3, "a/b/c", true)]
    [InlineData(3, "a/b/c/d", false)]
    [InlineData(0, "a/b/c/d/e/f/g/h", true)]
    public void LevelsAreCounted_WhenTheyAreBounded(int maximum, string topic, bool acceptable) =>
        Assert.Equal(acceptable, Resolved(Make(new MqttOptions { MaxTopicLevels = maximum }), topic).HasAcceptableLevels);

    [Fact]
    [Clause("MQTT-3.3.2-9")]
    public void AliasStandsForItsLastTopic_WhenItIsWithinBounds()
    {
        var topics = Make(new MqttOptions { MaxTopicAlias = 5 });
        var set = Resolved(topics, "a", 5);
        Assert.Same(set, Resolved(topics, "", 5));
        Assert.Equal("b", Resolved(topics, "b", 5).AsWritten);
        Assert.Equal("b", Resolved(topics, "", 5).AsWritten);
        Assert.Equal(ReasonCode.ProtocolError, Refused(topics, "", alias: 4));
        Assert.Equal(ReasonCode.TopicAliasInvalid, Refused(topics, "a", alias: 6));
        Assert.Equal(ReasonCode.TopicAliasInvalid, Refused(Make(new MqttOptions { MaxTopicAlias = 0 }), "a", alias: 1));
    }

    [Fact]
    public void AliasIsRefused_WhenNamesTakeTooManyBytes()
    {
        var topics = Make();
        var whole = (25 * 1024 * 1024) / ((2 * 60_000) + 264);
        for (ushort alias = 1; alias <= whole; alias++) Resolved(topics, $"{alias}".PadLeft(60_000, 'x'), alias);
        for (var i = 0; i < 20; i++) Resolved(topics, $"{i}".PadLeft(60_000, 'z'), 7); // replaces: its bytes are free again
        Assert.Equal(ReasonCode.QuotaExceeded, Refused(topics, new string('y', 60_000), alias: (ushort)(whole + 1)));
    }

    [Fact]
    public void AllAliasesCanBeSet_WhenTheirNamesAreOfOrdinaryLength()
    {
        var topics = Make();
        for (var alias = 1; alias <= ushort.MaxValue; alias++) Resolved(topics, $"{alias}".PadLeft(63, 'x'), (ushort)alias);
    }

    [Fact]
    public void AliasTakesNoMoreThanIsCounted_WhenItsNameIsShort()
    {
        var names = Enumerable.Range(1, ushort.MaxValue).Select(i => Encoding.UTF8.GetBytes($"{i}")).ToArray();
        var topics = Make();
        Assert.True(TryResolve(topics, "warm-up", 1, out _, out _));
        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var i = 0; i < names.Length; i++) topics.TryResolve(Packet(names[i], (ushort)(i + 1)), out _, out _);
        var allocated = GC.GetAllocatedBytesForCurrentThread() - before;
        Assert.InRange(allocated / names.Length, 1, 264 + (2 * 5)); // with what the table outgrew
    }

    private PublisherTopics Make(MqttOptions? options = null, string mountpoint = "") => new(gateway.Router, mountpoint, options ?? new MqttOptions());

    private static PublisherTopic Resolved(PublisherTopics topics, string topic, ushort alias = 0)
    {
        Assert.True(TryResolve(topics, topic, alias, out var found, out var code));
        Assert.True(code < ReasonCode.UnspecifiedError || alias != 0);
        return found!;
    }

    private static ReasonCode Refused(PublisherTopics topics, string topic, ushort alias = 0)
    {
        Assert.False(TryResolve(topics, topic, alias, out _, out var code));
        return code;
    }

    private static bool TryResolve(PublisherTopics topics, string topic, ushort alias, out PublisherTopic? found, out ReasonCode code) =>
        topics.TryResolve(Packet(Encoding.UTF8.GetBytes(topic), alias), out found, out code);

    private static PublishPacket Packet(byte[] topic, ushort alias) => new()
    {
        Topic = topic, Payload = [], Qos = Qos.AtMostOnce, Retain = false, Dup = false, PacketIdentifier = 0, TopicAlias = alias,
    };
}
