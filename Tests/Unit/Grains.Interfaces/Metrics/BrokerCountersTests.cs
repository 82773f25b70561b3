using Broker.Grains.Interfaces.Metrics;
using Xunit;

namespace Broker.Tests.Unit.Grains.Interfaces.Metrics;

public class BrokerCountersTests
{
    /// <summary>One that no code under test counts here.</summary>
    private const Metric Unused = Metric.PacketsAuthReceived;

    [Fact]
    public async Task SumIsExact_WhenThreadsCountedAndEnded()
    {
        var before = BrokerCounters.Read(Unused);
        var counting = Enumerable.Range(0, 4).Select(_ => Task.Factory.StartNew(
            () =>
            {
                for (var i = 0; i < 10_000; i++) BrokerCounters.Add(Unused);
                BrokerCounters.Add(Unused, 5);
            },
            TaskCreationOptions.LongRunning)).ToArray();
        await Task.WhenAll(counting).WaitAsync(TimeSpan.FromSeconds(20));
        Assert.Equal(before + 40_020, BrokerCounters.Read(Unused));
    }

    [Fact]
    public void EveryMetricCanBeReadAndCounted_WhenNoneWasBefore()
    {
        foreach (var metric in Enum.GetValues<Metric>())
        {
            BrokerCounters.Add(metric, 0);
            Assert.True(BrokerCounters.Read(metric) >= 0);
        }
    }
}
