using Broker.Grains.Interfaces.Delayed;
using Broker.Grains.Interfaces.Topics;
using Xunit;

namespace Broker.Tests.Unit.Grains.Interfaces.Delayed;

public class DelayedTopicTests
{
    private const long NowMs = 1_700_000_000_250;

    [Theory]
    [InlineData("$delayed/0/a", "a", NowMs)]
    [InlineData("$delayed/15/x/y", "x/y", NowMs + 15_000)]
    [InlineData("$delayed/007/x", "x", NowMs + 7_000)]
    [InlineData("$delayed/4294966/x", "x", NowMs + 4_294_966_000)]
    [InlineData("$delayed/4294967/x", "x", NowMs)] // a time long past
    [InlineData("$delayed/1700000100/x", "x", 1_700_000_100_000)]
    [InlineData("$delayed/1704294967/x", "x", 1_704_294_967_000)]
    [InlineData("$delayed/5//x", "/x", NowMs + 5_000)]
    [InlineData("$delayed/5/$own/x", "$own/x", NowMs + 5_000)]
    public void MessageWaits_WhenTopicIsGood(string topic, string target, long dueAt)
    {
        var delay = Read(topic, "me");
        Assert.True(delay.IsAcceptable(NowMs));
        Assert.True(delay.TryMake(TestMessage.On(topic), NowMs, out var waiting));
        Assert.Equal((target, dueAt, NowMs, "me"), (waiting.Message.Topic.Text, waiting.DueAt, waiting.ReceivedAt, waiting.UserName));
    }

    [Theory]
    [InlineData("$delayed/")]
    [InlineData("$delayed/5")]
    [InlineData("$delayed/5/")]
    [InlineData("$delayed//x")]
    [InlineData("$delayed/x/y")]
    [InlineData("$delayed/-1/x")]
    [InlineData("$delayed/1.5/x")]
    [InlineData("$delayed/5s/x")]
    [InlineData("$delayed/1704294968/x")] // too far ahead
    [InlineData("$delayed/9223372036854775807/x")]
    [InlineData("$delayed/99999999999999999999/x")]
    [InlineData("$delayed/5/$delayed/5/x")]
    public void MessageIsRefused_WhenTopicIsBad(string topic)
    {
        var delay = Read(topic);
        Assert.False(delay.IsAcceptable(NowMs));
        Assert.False(delay.TryMake(TestMessage.On(topic), NowMs, out _));
    }

    [Theory]
    [InlineData("$delayed", false)]
    [InlineData("a/$delayed/5/x", false)]
    [InlineData("$delayed/5/x", true)]
    public void OnlyTopicsThatBeginSoDelay(string topic, bool delays) => Assert.Equal(delays, DelayedTopic.Is(TopicName.Parse(topic)));

    [Theory]
    [InlineData("$delayed/5/a", "m/", "$delayed/5/m/a")]
    [InlineData("$delayed/5/a", "", "$delayed/5/a")]
    [InlineData("$delayed/x/a", "m/", "$delayed/x/m/a")]
    [InlineData("$delayed/5", "m/", "$delayed/5")]
    public void MountpointStandsBeforeTheTopicBehind(string topic, string mountpoint, string mounted) =>
        Assert.Equal(mounted, DelayedTopic.Mount(TopicName.Parse(topic), System.Text.Encoding.UTF8.GetBytes(mountpoint))!.Text);

    [Fact]
    public void ThereIsNone_WhenAMountpointMakesItTooLong() =>
        Assert.Null(DelayedTopic.Mount(TopicName.Parse("$delayed/5/" + new string('x', 65_000)), [.. Enumerable.Repeat((byte)'m', 600)]));

    private static DelayedTopic Read(string topic, string? userName = null) => DelayedTopic.Read(TopicName.Parse(topic), userName);
}
