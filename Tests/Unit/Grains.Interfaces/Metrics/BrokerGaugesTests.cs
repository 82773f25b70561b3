using Broker.Grains.Interfaces.Metrics;
using Xunit;

namespace Broker.Tests.Unit.Grains.Interfaces.Metrics;

public class BrokerGaugesTests
{
    private readonly BrokerGauges gauges = new();

    [Fact]
    public void HighestStays_WhenTheValueFalls()
    {
        gauges.Add(Gauge.Connections, 3);
        gauges.Add(Gauge.Connections, -2);
        gauges.Add(Gauge.Connections);
        Assert.Equal((2, 3), (gauges.Read(Gauge.Connections), gauges.Highest(Gauge.Connections)));
        gauges.Add(Gauge.Connections, 2);
        Assert.Equal((4, 4), (gauges.Read(Gauge.Connections), gauges.Highest(Gauge.Connections)));
        Assert.Equal((0, 0), (gauges.Read(Gauge.Retained), gauges.Highest(Gauge.Retained)));
    }

    [Fact]
    public void SubscriptionsAreTheSum_WhenSomeAreShared()
    {
        gauges.AddSubscriptions(isShared: false, 3);
        gauges.AddSubscriptions(isShared: true, 2);
        gauges.AddSubscriptions(isShared: false, -1);
        Assert.Equal((4, 2, 2), (gauges.Read(Gauge.Subscriptions), gauges.Read(Gauge.Subscribers), gauges.Read(Gauge.SubscriptionsShared)));
        Assert.Equal(5, gauges.Highest(Gauge.Subscriptions));
    }

    [Fact]
    public async Task NothingIsLost_WhenThreadsRaiseAndLowerAtOnce()
    {
        var working = Enumerable.Range(0, 4).Select(_ => Task.Factory.StartNew(
            () =>
            {
                for (var i = 0; i < 20_000; i++)
                {
                    gauges.Add(Gauge.Sessions, 2);
                    gauges.Add(Gauge.Sessions, -1);
                }
            },
            TaskCreationOptions.LongRunning)).ToArray();
        await Task.WhenAll(working).WaitAsync(TimeSpan.FromSeconds(20));
        Assert.Equal(80_000, gauges.Read(Gauge.Sessions));
        Assert.InRange(gauges.Highest(Gauge.Sessions), 80_001, 80_004);
    }

    [Fact]
    public void NamesAreThoseOfEmqx_WhenAllAreRead()
    {
        gauges.Add(Gauge.Sessions, 7);
        gauges.Add(Gauge.Sessions, -2);
        string[] names =
        [
            "connections", "channels", "sessions", "topics", "routes", "subscribers", "subscriptions", "subscriptions.shared", "suboptions", "retained", "delayed",
        ];
        Assert.Equal(names, gauges.ReadAll().Select(stat => stat.Name));
        Assert.Equal([("channels", 5L, 7L), ("sessions", 5L, 7L)], gauges.ReadAll().Where(stat => stat.Max > 0));
    }
}
