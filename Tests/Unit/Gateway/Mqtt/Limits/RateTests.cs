using Broker.Gateway.Mqtt.Limits;
using Xunit;

namespace Broker.Tests.Unit.Gateway.Mqtt.Limits;

public class RateTests
{
    [Theory]
    [InlineData("100/s", 100, 1000)]
    [InlineData("1000/10s", 1000, 10_000)]
    [InlineData("100,10s", 100, 10_000)]
    [InlineData(" 100KB / 500ms ", 102_400, 500)]
    [InlineData("2MB/m", 2_097_152, 60_000)]
    [InlineData("1/1h", 1, 3_600_000)]
    public void IsRead_WhenWrittenAsAllowed(string text, long amount, int periodMs)
    {
        Assert.True(Rate.TryParse(text, out var rate));
        Assert.Equal(new Rate(amount, TimeSpan.FromMilliseconds(periodMs)), rate);
    }

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("0")]
    public void IsUnlimited_WhenNothingIsSaid(string? text)
    {
        Assert.True(Rate.TryParse(text, out var rate));
        Assert.True(rate.IsUnlimited);
    }

    [Theory]
    [InlineData("100")]
    [InlineData("0/s")]
    [InlineData("-1/s")]
    [InlineData("100/0s")]
    [InlineData("1/2h")]
    [InlineData("1/d")]
    [InlineData("9GB/s")]
    [InlineData("99999999999/s")]
    [InlineData("1/9999999ms")]
    [InlineData("1.5/s")]
    [InlineData("100kb/s")]
    public void IsRefused_WhenItCannotBe(string text) => Assert.False(Rate.TryParse(text, out _));
}
