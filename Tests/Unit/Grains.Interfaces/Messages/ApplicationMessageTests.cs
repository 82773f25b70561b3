using Broker.Grains.Interfaces.Messages;
using Xunit;

namespace Broker.Tests.Unit.Grains.Interfaces.Messages;

public class ApplicationMessageTests
{
    [Theory]
    [InlineData(0, long.MaxValue, false)]
    [InlineData(1_000, 999, false)]
    [InlineData(1_000, 1_000, true)]
    [InlineData(1_000, 1_001, true)]
    [Clause("MQTT-3.3.2-5")]
    public void ExpiredFromItsLastMillisecondOn_WhenItHasAnEnd(long expiresAt, long now, bool expired) =>
        Assert.Equal(expired, TestMessage.On("a", expiresAt: expiresAt).IsExpired(now));

    [Theory]
    [InlineData(0, 0, null)]
    [InlineData(10_000, 0, 10u)]
    [InlineData(10_000, 1, 10u)]
    [InlineData(10_000, 999, 10u)]
    [InlineData(10_000, 1_000, 9u)]
    [InlineData(10_000, 9_999, 1u)]
    [InlineData(10_000, 10_000, 1u)]
    [InlineData(10_000, 99_999, 1u)]
    [InlineData(4_294_967_295_000, 0, uint.MaxValue)]
    [InlineData(long.MaxValue / 2, 0, uint.MaxValue)]
    [Clause("MQTT-3.3.2-6")]
    public void RemainingIntervalIsRoundedUpAndAtLeastOne_WhenTimeHasPassed(long expiresAt, long now, uint? seconds) =>
        Assert.Equal(seconds, TestMessage.On("a", expiresAt: expiresAt).RemainingExpirySeconds(now));

    [Fact]
    public void OnlyTheEndDiffers_WhenItIsChanged()
    {
        var message = new ApplicationMessage
        {
            Topic = Broker.Grains.Interfaces.Topics.TopicName.Parse("a"),
            Payload = [1],
            Qos = Qos.ExactlyOnce,
            Retain = true,
            Properties = new MessageProperties { IsText = true },
            PublisherId = "p",
            ExpiresAt = 5,
            ReceivedAt = 7,
        };
        var changed = message.ExpiringAt(9);
        Assert.Equal(5, message.ExpiresAt);
        foreach (var property in typeof(ApplicationMessage).GetProperties())
        {
            if (property.Name == nameof(ApplicationMessage.ExpiresAt)) Assert.Equal(9L, property.GetValue(changed));
            else Assert.Equal(property.GetValue(message), property.GetValue(changed));
        }
    }
}
