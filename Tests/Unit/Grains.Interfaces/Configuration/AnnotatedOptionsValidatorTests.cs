using System.Globalization;
using Broker.Gateway.Hosting;
using Broker.Grains.Interfaces.Configuration;
using Broker.Grains.Interfaces.Routing;
using Xunit;

namespace Broker.Tests.Unit.Grains.Interfaces.Configuration;

public class AnnotatedOptionsValidatorTests
{
    [Fact]
    public void DefaultsAreAllowed_WhenNothingIsConfigured()
    {
        Assert.True(new AnnotatedOptionsValidator<MqttOptions>("Mqtt").Validate(null, new MqttOptions()).Succeeded);
        Assert.True(new AnnotatedOptionsValidator<GatewayOptions>("Gateway").Validate(null, new GatewayOptions()).Succeeded);
        Assert.True(new AnnotatedOptionsValidator<RoutingOptions>("Routing").Validate(null, new RoutingOptions()).Succeeded);
    }

    [Fact]
    public void EveryFaultNamesKeyValueAndBounds_WhenSeveralAreWrong()
    {
        var options = new MqttOptions { MaxQos = 3, ServerKeepAlive = 0, IdleTimeout = TimeSpan.Zero, KeepAliveBackoff = 0.25 };
        Assert.Equal(
            [
                "Mqtt:IdleTimeout = '00:00:00' is not allowed: it must be between 00:00:00.1000000 and 01:00:00.",
                "Mqtt:KeepAliveBackoff = '0.25' is not allowed: it must be between 0.5 and 10.",
                "Mqtt:MaxQos = '3' is not allowed: it must be between 0 and 2.",
                "Mqtt:ServerKeepAlive = '0' is not allowed: it must be between 1 and 65535.",
            ],
            Faults(new AnnotatedOptionsValidator<MqttOptions>("Mqtt"), options));
    }

    [Fact]
    public void TextIsChecked_WhenItIsMissingOrOfAnotherForm() => Assert.Equal(
        [
            "Gateway:Address = '' is not allowed: it must be set.",
            "Gateway:NodeName = 'a/b' is not allowed: it must match [^/+#]+.",
            "Gateway:Transport = 'iouring' is not allowed: it must match auto|epoll|portable.",
        ],
        Faults(new AnnotatedOptionsValidator<GatewayOptions>("Gateway"), new GatewayOptions { Address = "", NodeName = "a/b", Transport = "iouring" }));

    [Fact]
    public void BoundsAreReadTheSame_WhenTheCultureWritesNumbersOtherwise()
    {
        var before = CultureInfo.CurrentCulture;
        var other = (CultureInfo)CultureInfo.InvariantCulture.Clone();
        (other.NumberFormat.NumberDecimalSeparator, other.NumberFormat.NumberGroupSeparator) = (",", ".");
        CultureInfo.CurrentCulture = other;
        try
        {
            DefaultsAreAllowed_WhenNothingIsConfigured();
            EveryFaultNamesKeyValueAndBounds_WhenSeveralAreWrong();
        }
        finally
        {
            CultureInfo.CurrentCulture = before;
        }
    }

    private static IEnumerable<string> Faults<T>(AnnotatedOptionsValidator<T> validator, T options)
        where T : class => validator.Validate(null, options).Failures!.Order();
}
