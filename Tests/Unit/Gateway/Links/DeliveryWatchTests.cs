using System.Diagnostics;
using System.Diagnostics.Metrics;
using Broker.Gateway.Links;
using Broker.Grains.Interfaces.Messages;
using Broker.Grains.Interfaces.Metrics;
using Microsoft.Extensions.DependencyInjection;
using Xunit;

namespace Broker.Tests.Unit.Gateway.Links;

public sealed class DeliveryWatchTests : IDisposable
{
    private readonly ServiceProvider services = new ServiceCollection().AddMetrics().AddSingleton<LatencyInstruments>().BuildServiceProvider();
    private readonly GatewayFixture gateway = new();
    private readonly List<(double Seconds, object? Qos)> timed = [];
    private readonly MeterListener listener = new();

    public DeliveryWatchTests()
    {
        listener.InstrumentPublished = (instrument, self) =>
        {
            if (instrument.Meter.Scope == services.GetRequiredService<IMeterFactory>()) self.EnableMeasurementEvents(instrument);
        };
        listener.SetMeasurementEventCallback<double>((instrument, value, tags, _) =>
        {
            Assert.Equal("broker.message.latency", instrument.Name);
            timed.Add((value, tags[0].Value));
        });
        listener.Start();
    }

    public void Dispose()
    {
        listener.Dispose();
        services.Dispose();
    }

    [Theory]
    [InlineData(0, 0, 0)]
    [InlineData(64, 1350, 1775)] // 1,562 is what is expected
    [InlineData(1, 100_000, 100_000)]
    public void AboutOneOfThatManyIsTimed_WhenDelivered(int sample, int least, int most)
    {
        var watch = new DeliveryWatch(services.GetRequiredService<LatencyInstruments>(), sample);
        var message = Received(0);
        for (var number = 0; number < 100_000; number++) Deliver(watch, message);
        watch.Flushed(gateway.Loop);
        Assert.InRange(timed.Count, least, most);
    }

    [Fact]
    public void TimeIsFromReadToFlush_AndNeverBelowZero()
    {
        var watch = new DeliveryWatch(services.GetRequiredService<LatencyInstruments>(), 1);
        Deliver(watch, Received(-3_000), Qos.ExactlyOnce);
        Deliver(watch, Received(60_000_000)); // by another machine's clock
        Deliver(watch, Received(-60_000_000), isFresh: false);
        Assert.Empty(timed);
        watch.Flushed(gateway.Loop);
        Assert.Equal([0.003, 0], timed.Select(one => one.Seconds));
        Assert.Equal([2, 1], timed.Select(one => (int)one.Qos!));
        watch.Flushed(gateway.Loop);
        Assert.Equal(2, timed.Count);
    }

    [Fact]
    public void FewAreTraced_WhenManyGetATracedMessage()
    {
        var ended = 0;
        var trace = ActivityTraceId.CreateRandom();
        using var heard = new ActivityListener
        {
            ShouldListenTo = source => source.Name == BrokerActivities.SourceName,
            Sample = (ref ActivityCreationOptions<ActivityContext> _) => ActivitySamplingResult.AllDataAndRecorded,
            ActivityStopped = activity => ended += activity.TraceId == trace ? 1 : 0,
        };
        ActivitySource.AddActivityListener(heard);
        var watch = new DeliveryWatch(null, 0);
        var message = Received(0).Traced($"00-{trace}-b7ad6b7169203331-01");
        for (var number = 0; number < 1000; number++) Deliver(watch, message);
        Assert.Equal(0, ended);
        watch.Flushed(gateway.Loop);
        Assert.Equal(32, ended);
    }

    private static void Deliver(DeliveryWatch watch, ApplicationMessage message, Qos qos = Qos.AtLeastOnce, bool isFresh = true)
    {
        if (watch.Wants(message)) watch.Add(message, qos, "client", isFresh);
    }

    private ApplicationMessage Received(long microseconds) => new()
    {
        Topic = TestMessage.On("a").Topic,
        Payload = [],
        ReceivedAt = gateway.Loop.NowMicroseconds + microseconds,
    };
}
