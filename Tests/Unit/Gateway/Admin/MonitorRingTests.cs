using Broker.Gateway.Admin;
using Broker.Grains.Interfaces.Metrics;
using Broker.Tests.Unit.Grains.Storage;
using Xunit;

namespace Broker.Tests.Unit.Gateway.Admin;

public class MonitorRingTests
{
    private readonly ManualClock clock = new();
    private readonly BrokerGauges gauges = new();

    [Fact]
    public void MinuteHasWhatItAdded_AndWhatThereWasAtItsEnd()
    {
        var ring = new MonitorRing(gauges, clock);
        ring.Take();
        Assert.Empty(ring.Samples);
        gauges.Add(Gauge.Connections, 7);
        gauges.Add(Gauge.Topics, 3);
        gauges.Add(Gauge.Subscriptions, 5);
        BrokerCounters.Add(Metric.MessagesQos1Received, 1_000_000);
        BrokerCounters.Add(Metric.MessagesQos0Sent, 2_000_000);
        BrokerCounters.Add(Metric.DeliveryDroppedQueueFull, 3_000_000);
        clock.Advance(TimeSpan.FromSeconds(5));
        ring.Take();
        var (received, sent, subscriptions, connections) = ring.Current;
        Assert.InRange(received, 200_000, 300_000); // other tests count too
        Assert.InRange(sent, 400_000, 500_000);
        Assert.Equal((5, 7), (subscriptions, connections));
        Assert.Empty(ring.Samples);
        clock.Advance(TimeSpan.FromMinutes(1));
        ring.Take();
        var (at, values) = Assert.Single(ring.Samples);
        Assert.Equal(0, at % 60_000);
        Assert.InRange(clock.GetUtcNow().ToUnixTimeMilliseconds() - at, 60_000, 120_000);
        Assert.InRange(values[0], 3_000_000, 3_500_000);
        Assert.Equal([7L, 3, 5], values[1..4]);
        Assert.InRange(values[4], 2_000_000, 2_500_000);
        Assert.InRange(values[5], 1_000_000, 1_500_000);

        clock.Advance(TimeSpan.FromMinutes(1));
        ring.Take();
        Assert.InRange(ring.Samples[1].Values[5], 0, 500_000);
    }

    [Fact]
    public void TwoHoursAreRemembered()
    {
        var ring = new MonitorRing(gauges, clock);
        for (var i = 0; i < 200; i++)
        {
            ring.Take();
            clock.Advance(TimeSpan.FromMinutes(1));
        }

        Assert.Equal(MonitorRing.Length, ring.Samples.Length);
        Assert.Equal(119 * 60_000, ring.Samples[^1].At - ring.Samples[0].At);
    }
}
