using MQTTnet.Exceptions;
using Xunit;

namespace Broker.Tests.Protocol.Transport;

/// <summary>Clients that others wrote, on every transport: what they and their <see cref="Counterpart"/> send each other arrives whole, once and in order.</summary>
public sealed class TransportInteropTests(InteropBroker broker) : IClassFixture<InteropBroker>
{
    public static TheoryData<string, int> Transports => new() { { "tls", 4 }, { "tls", 5 }, { "ws", 4 }, { "ws", 5 }, { "wss", 4 }, { "wss", 5 } };

    [Theory]
    [MemberData(nameof(Transports))]
    public Task ExchangesMessages_WithMqttJs(string listener, int level) =>
        ConverseAsync($"js-{listener}-{level}", level, async root => Assert.Equal((0, "ok"), await RunMqttJsAsync(listener, level, root)));

    [Theory]
    [MemberData(nameof(Transports))]
    public Task ExchangesMessages_WithPaho(string listener, int level) =>
        ConverseAsync($"paho-{listener}-{level}", level, async root => Assert.Equal((0, "ok"), await RunPahoAsync(listener, level, root)));

    [Theory]
    [MemberData(nameof(Transports))]
    public Task ExchangesMessages_WithMqttNet(string listener, int level) => ConverseAsync($"net-{listener}-{level}", level, root => RunMqttNetAsync(listener, level, root));

    [Theory]
    [InlineData("ws", 4, "ok")]
    [InlineData("ws", 5, "ok")]
    [InlineData("wss", 4, "ok")]
    [InlineData("wss", 5, "ok")]
    [InlineData("ws-deflate", 5, "ok permessage-deflate")]
    [InlineData("wss-deflate", 4, "ok permessage-deflate")]
    public Task ExchangesMessages_WithABrowser(string listener, int level, string result) => ConverseAsync($"browser-{listener}-{level}", level, async root =>
    {
        var got = await broker.BrowseAsync(listener, level, root);
        Assert.Equal(result, got.Split(';')[0]);
    });

    [Fact]
    public async Task BrowserIsRefused_WhenItsPageIsOfAnotherOrigin()
    {
        Assert.Equal("failed: Couldn't connect to server", await broker.BrowseAsync("ws-origin", 5, "refused", host: "127.0.0.1"));
        await ConverseAsync("origin", 5, async root => Assert.Equal("ok", await broker.BrowseAsync("ws-origin", 5, root)));
    }

    [Theory]
    [InlineData("stranger")]
    [InlineData("wss-stranger")]
    public async Task ClientRefuses_WhenItTrustsAnotherAuthority(string listener)
    {
        var js = await RunMqttJsAsync(listener, 5, "stranger");
        Assert.Equal((1, true), (js.Code, js.Output.Contains("unable to verify the first certificate", StringComparison.Ordinal)));
        var paho = await RunPahoAsync(listener, 5, "stranger");
        Assert.Equal((1, true), (paho.Code, paho.Output.Contains("CERTIFICATE_VERIFY_FAILED", StringComparison.Ordinal)));
        await Assert.ThrowsAsync<MqttCommunicationException>(() => RunMqttNetAsync(listener, 5, "stranger"));
        if (listener == "wss-stranger") Assert.Equal("failed: Couldn't connect to server", await broker.BrowseAsync(listener, 5, "stranger"));
    }

    private Task<(int Code, string Output)> RunMqttJsAsync(string listener, int level, string root)
    {
        ExternalClient.RequireMqttJs();
        return ExternalClient.RunAsync("node", ExternalClient.Script("mqttjs_transport.mjs"), broker.UrlOf(listener), $"{level}", root, broker.Authority, ExternalClient.Modules);
    }

    private Task<(int Code, string Output)> RunPahoAsync(string listener, int level, string root) =>
        ExternalClient.RunAsync(ExternalClient.Python, "-W", "ignore", ExternalClient.Script("paho_transport.py"), broker.UrlOf(listener), $"{level}", root, broker.Authority);

    private Task RunMqttNetAsync(string listener, int level, string root) => new MqttNetConversation(new Uri(broker.UrlOf(listener)), level, root, broker.Authority).RunAsync();

    private async Task ConverseAsync(string root, int level, Func<string, Task> client)
    {
        await using var counterpart = await Counterpart.StartAsync(broker.Host, root);
        await client(root);
        await counterpart.VerifyAsync(level);
    }
}
