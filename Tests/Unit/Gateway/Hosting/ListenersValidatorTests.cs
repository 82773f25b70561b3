using Broker.Gateway.Hosting;
using Microsoft.Extensions.Configuration;
using Xunit;

namespace Broker.Tests.Unit.Gateway.Hosting;

public class ListenersValidatorTests
{
    [Theory]
    [InlineData("Kind", "udp", "must match")]
    [InlineData("Port", "70000", "between 0 and 65535")]
    [InlineData("Address", "nowhere", "an IP address or *")]
    [InlineData("MaxConnections", "0", "between 1 and 10000000")]
    [InlineData("ProxyProtocolTimeout", "01:00:00", "between 00:00:00.1000000 and 00:10:00")]
    [InlineData("Access:0", "permit all", "allow or deny")]
    [InlineData("IdentityAsUserName", "dn", "must be cn")]
    [InlineData("WebSocket:MaxFrameSize", "1", "between 1024 and")]
    [InlineData("WebSocket:Path", "mqtt", "must match")]
    [InlineData("Tls:Versions", "1.1", "must match")]
    public void StartIsRefused_WhenValueIsNotAllowed(string key, string value, string allowed)
    {
        var failure = Assert.Single(Validate(new() { [key] = value }));
        Assert.StartsWith($"Listeners:one:{key} = '{value}' is not allowed: ", failure, StringComparison.Ordinal);
        Assert.Contains(allowed, failure, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("Tls:Certificate", null, null)]
    [InlineData("Tls:CaCertificate", "Tls:Verify", "required")]
    public void StartIsRefused_WhenFileIsMissing(string missing, string? key, string? value)
    {
        var settings = new Dictionary<string, string?> { ["Kind"] = "tls" };
        if (key is not null) (settings[key], settings["Tls:Certificate"]) = (value, "server.pem");
        Assert.StartsWith($"Listeners:one:{missing} = '' is not allowed: ", Assert.Single(Validate(settings)), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("tcp", 1883)]
    [InlineData("tls", 8883)]
    [InlineData("ws", 8083)]
    [InlineData("wss", 8084)]
    public void PortIsTheKindsUsualOne_WhenNoneIsGiven(string kind, int port) => Assert.Equal(port, new ListenerOptions { Kind = kind }.EffectivePort);

    private static IEnumerable<string> Validate(Dictionary<string, string?> settings)
    {
        var configuration = new ConfigurationBuilder()
            .AddInMemoryCollection(settings.Select(one => KeyValuePair.Create($"Listeners:one:{one.Key}", one.Value))).Build();
        return new ListenersValidator().Validate(null, configuration.GetSection(ListenersOptions.Section).Get<ListenersOptions>()!).Failures ?? [];
    }
}
