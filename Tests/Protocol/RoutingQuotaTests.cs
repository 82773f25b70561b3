using Broker.Gateway.Mqtt.Codec.V5;
using Broker.Gateway.Mqtt.Packets;
using Broker.Grains.Interfaces.Messages;
using Broker.Grains.Interfaces.Metrics;
using Broker.Tests.Protocol.Harness;
using Xunit;

namespace Broker.Tests.Protocol;

/// <summary>Quotas of what is routed: of one client, and of all together.</summary>
public sealed class RoutingQuotaTests
{
    [Theory]
    [InlineData(Qos.AtLeastOnce)]
    [InlineData(Qos.ExactlyOnce)]
    public async Task ClientIsTold_WhenItsQuotaIsExceeded(Qos qos)
    {
        await using var broker = await StartAsync(("Mqtt:RoutingQuota", "2/h"));
        var refused = BrokerCounters.Read(Metric.PacketsPublishQuotaExceeded);
        await using var client = await RawClient.ConnectAsync(broker, "client");
        for (ushort i = 1; i <= 3; i++)
        {
            await client.SendAsync(WirePacket.Publish("t", "x", qos, i));
            Assert.Equal((i, i < 3 ? ReasonCode.NoMatchingSubscribers : ReasonCode.QuotaExceeded), await client.ExpectAcknowledgementAsync(AnswerTo(qos)));
        }

        Assert.Equal(refused + 1, BrokerCounters.Read(Metric.PacketsPublishQuotaExceeded));
        // The identifier is free again, and so is the quota after half an hour; another client has its own.
        broker.Advance(TimeSpan.FromMinutes(31));
        await client.SendAsync(WirePacket.Publish("t", "x", qos, 3));
        Assert.Equal((3, ReasonCode.NoMatchingSubscribers), await client.ExpectAcknowledgementAsync(AnswerTo(qos)));
        await using var other = await RawClient.ConnectAsync(broker, "other");
        await other.SendAsync(WirePacket.Publish("t", "x", qos, 1));
        Assert.Equal((1, ReasonCode.NoMatchingSubscribers), await other.ExpectAcknowledgementAsync(AnswerTo(qos)));
    }

    [Theory]
    [InlineData(4)]
    [InlineData(5)]
    public async Task MessageIsDropped_WhenItIsQos0(int level)
    {
        await using var broker = await StartAsync(("Mqtt:RoutingQuota", "4/h"));
        var dropped = BrokerCounters.Read(Metric.PacketsPublishDropped);
        await using var watcher = await RawClient.ConnectAsync(broker, "watcher");
        await watcher.SubscribeAsync("t");
        await using var client = await RawClient.ConnectAsync(broker, "client", level);
        // One for the message and one for its destination: two of them are the quota.
        for (var i = 1; i <= 3; i++) await client.SendAsync(WirePacket.Publish("t", $"{i}", level: level));
        await client.ExpectNothingAsync();
        await watcher.ExpectPublishAsync("t", "1");
        await watcher.ExpectPublishAsync("t", "2");
        await watcher.ExpectNothingAsync();
        Assert.Equal(dropped + 1, BrokerCounters.Read(Metric.PacketsPublishDropped));
    }

    [Theory]
    [InlineData(Qos.AtLeastOnce)]
    [InlineData(Qos.ExactlyOnce)]
    public async Task ClientWaits_WhenItCannotBeTold(Qos qos)
    {
        await using var broker = await StartAsync(("Mqtt:RoutingQuota", "2/h"));
        await using var watcher = await RawClient.ConnectAsync(broker, "watcher");
        await using var client = await RawClient.ConnectAsync(broker, "client", level: 4, keepAlive: 60);
        var refused = BrokerCounters.Read(Metric.PacketsPublishQuotaExceeded);
        for (ushort i = 1; i <= 4; i++) await client.SendAsync(WirePacket.Publish("t", $"{i}", qos, i, level: 4));
        // The third is borrowed: the fourth waits for two tokens, an hour.
        for (var i = 1; i <= 3; i++) Assert.Equal(i, (await client.ExpectAsync(AnswerTo(qos))).Id);
        Assert.Equal(refused + 1, BrokerCounters.Read(Metric.PacketsPublishQuotaExceeded));
        await watcher.SubscribeAsync("t");
        broker.Advance(TimeSpan.FromMinutes(61));
        Assert.Equal(4, (await client.ExpectAsync(AnswerTo(qos))).Id);
        await watcher.ExpectPublishAsync("t", "4");
        await client.ExpectNothingAsync();
    }

    [Fact]
    public async Task RepetitionIsNotRefused_WhenItMayHaveBeenRoutedBefore()
    {
        await using var broker = await StartAsync(("Mqtt:RoutingQuota", "1/h"));
        await using var watcher = await RawClient.ConnectAsync(broker, "watcher");
        await using var client = await RawClient.ConnectAsync(broker, "client", expiry: 600);
        await client.SendAsync(WirePacket.Publish("t", "x", Qos.ExactlyOnce, 1));
        Assert.Equal((1, ReasonCode.Success), await client.ExpectAcknowledgementAsync(PacketType.Pubrec));
        await watcher.SubscribeAsync("t");
        await client.SendAsync(WirePacket.Publish("t", "x", Qos.ExactlyOnce, 1, dup: true));
        Assert.Equal((1, ReasonCode.Success), await client.ExpectAcknowledgementAsync(PacketType.Pubrec));
        await watcher.ExpectNothingAsync();
    }

    [Fact]
    public async Task AliasIsLearned_WhenItsMessageIsRefused()
    {
        await using var broker = await StartAsync(("Mqtt:RoutingQuota", "1/h"));
        await using var watcher = await RawClient.ConnectAsync(broker, "watcher");
        await using var client = await RawClient.ConnectAsync(broker, "client");
        await client.PublishAsync("t", "x");
        await client.SendAsync(WirePacket.Publish("alias", "x", Qos.AtLeastOnce, 2, properties: new WireProperties().Add(PropertyId.TopicAlias, (ushort)7)));
        Assert.Equal((2, ReasonCode.QuotaExceeded), await client.ExpectAcknowledgementAsync(PacketType.Puback));
        await watcher.SubscribeAsync("alias");
        broker.Advance(TimeSpan.FromHours(1));
        await client.SendAsync(WirePacket.Publish("", "y", Qos.AtLeastOnce, 3, properties: new WireProperties().Add(PropertyId.TopicAlias, (ushort)7)));
        Assert.Equal((3, ReasonCode.Success), await client.ExpectAcknowledgementAsync(PacketType.Puback));
        await watcher.ExpectPublishAsync("alias", "y");
    }

    [Fact]
    public async Task AllClientsShareTheOverallQuota()
    {
        await using var broker = await StartAsync(("Mqtt:OverallRoutingQuota", "2/h"));
        await using var one = await RawClient.ConnectAsync(broker, "one");
        await using var two = await RawClient.ConnectAsync(broker, "two");
        await one.PublishAsync("t", "x");
        await two.PublishAsync("t", "x");
        foreach (var client in new[] { one, two })
        {
            await client.SendAsync(WirePacket.Publish("t", "x", Qos.AtLeastOnce, 9));
            Assert.Equal((9, ReasonCode.QuotaExceeded), await client.ExpectAcknowledgementAsync(PacketType.Puback));
        }
    }

    private static PacketType AnswerTo(Qos qos) => qos == Qos.AtLeastOnce ? PacketType.Puback : PacketType.Pubrec;

    private static Task<BrokerHost> StartAsync(params (string Key, string? Value)[] settings) => BrokerHost.StartAsync(settings.ToDictionary(one => one.Key, one => one.Value));
}
