using System.Net;
using Broker.Gateway.Admin;
using Broker.Tests.Protocol.Harness;
using Microsoft.Extensions.DependencyInjection;
using Xunit;

namespace Broker.Tests.Protocol.Admin;

/// <summary>What EMQ X Enterprise's dashboard draws.</summary>
public sealed class MonitorApiTests(BrokerHost broker) : IClassFixture<BrokerHost>, IDisposable
{
    private readonly ApiClient api = new(broker);

    public void Dispose() => api.Dispose();

    [Fact]
    public async Task MinutesAreShown_OfTheClusterAndOfANode()
    {
        var ring = broker.Services.GetRequiredService<MonitorRing>();
        await using var client = await RawClient.ConnectAsync(broker, "monitored");
        await client.SubscribeAsync("monitored/#");
        ring.Take();
        for (var i = 0; i < 3; i++) await client.PublishAsync("nobody/listens", "x");
        var current = await api.SucceedAsync("GET", "/monitor/current_metrics");
        Assert.Equal((1, 1, 1), (current.GetProperty("node").GetInt32(), current.GetProperty("subscription").GetInt32(), current.GetProperty("connection").GetInt32()));
        Assert.True(current.GetProperty("received").GetDouble() >= 0 && current.GetProperty("sent").GetDouble() >= 0);
        broker.Advance(TimeSpan.FromMinutes(1));
        ring.Take();
        var series = await api.SucceedAsync("GET", "/monitor/metrics");
        Assert.Equal(["connection", "dropped", "received", "route", "sent", "subscriptions"], series.EnumerateObject().Select(one => one.Name).Order(StringComparer.Ordinal));
        foreach (var one in series.EnumerateObject())
        {
            var sample = one.Value.EnumerateArray().Last().EnumerateArray().Select(value => value.GetInt64()).ToArray();
            Assert.Equal((2, 0L), (sample.Length, sample[0] % 60_000));
            Assert.True(sample[1] >= (one.Name is "received" ? 3 : one.Name == "sent" ? 0 : 1), $"{one.Name}: {sample[1]}");
        }

        var received = await api.SucceedAsync("GET", "/monitor/metrics/received");
        Assert.Equal(series.GetProperty("received").GetRawText(), Assert.Single(received.EnumerateObject()).Value.GetRawText());
        Assert.Equal(series.GetRawText(), (await api.SucceedAsync("GET", "/nodes/broker@127.0.0.1/monitor/metrics")).GetRawText());
        Assert.Equal(received.GetRawText(), (await api.SucceedAsync("GET", "/nodes/broker@127.0.0.1/monitor/metrics/received")).GetRawText());
    }

    [Theory]
    [InlineData("/monitor/metrics/colour")]
    [InlineData("/nodes/nobody/monitor/metrics")]
    [InlineData("/nodes/broker@127.0.0.1/monitor/metrics/colour")]
    public async Task AnswerIs404_WhenThereIsNoSuchThing(string path) => Assert.Equal(HttpStatusCode.NotFound, (await api.SendAsync("GET", path)).Status);
}
