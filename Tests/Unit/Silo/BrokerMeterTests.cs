using System.Diagnostics.Metrics;
using Broker.Grains.Interfaces.Metrics;
using Broker.Silo;
using Microsoft.Extensions.DependencyInjection;
using Xunit;

namespace Broker.Tests.Unit.Silo;

public sealed class BrokerMeterTests : IDisposable
{
    private readonly ServiceProvider services = new ServiceCollection().AddMetrics().BuildServiceProvider();
    private readonly BrokerGauges gauges = new();
    private readonly Dictionary<string, long> values = [];
    private readonly Dictionary<string, Instrument> instruments = [];
    private readonly MeterListener listener = new();

    public BrokerMeterTests()
    {
        listener.InstrumentPublished = (instrument, self) =>
        {
            if (instrument.Meter.Scope != services.GetRequiredService<IMeterFactory>()) return;
            instruments.Add(instrument.Name, instrument);
            self.EnableMeasurementEvents(instrument);
        };
        listener.SetMeasurementEventCallback<long>((instrument, value, _, _) => values[instrument.Name] = value);
    }

    [Fact]
    public async Task EveryCounterSumAndGaugeIsThere_WhenStarted()
    {
        await StartAsync();
        var expected = MetricNames.ReadAll().Select(one => one.Name)
            .Concat(["connections", "sessions", "topics", "subscriptions", "subscribers", "subscriptions.shared", "retained", "delayed"]).Select(name => "broker." + name);
        Assert.Equal(expected.Order(StringComparer.Ordinal), instruments.Keys.Order(StringComparer.Ordinal));
        Assert.All(instruments.Keys, name => Assert.Matches("^[a-z][a-z0-9_]*([.][a-z][a-z0-9_]*)+$", name));
    }

    [Theory]
    [InlineData("broker.bytes.received", "By")]
    [InlineData("broker.packets.connect.received", "{packet}")]
    [InlineData("broker.messages.dropped.no_subscribers", "{message}")]
    [InlineData("broker.delivery.dropped", "{message}")]
    [InlineData("broker.client.connected", "{client}")]
    [InlineData("broker.session.lost", "{session}")]
    [InlineData("broker.routes.repaired", "{route}")]
    [InlineData("broker.connections", "{connection}")]
    [InlineData("broker.retained", "{message}")]
    public async Task UnitIsWhatIsCounted_WhenPublished(string name, string unit)
    {
        await StartAsync();
        Assert.Equal(unit, instruments[name].Unit);
    }

    [Fact]
    public async Task ValuesAreThoseOfTheMoment_WhenCollected()
    {
        await StartAsync();
        listener.RecordObservableInstruments();
        var before = values["broker.messages.received"];
        gauges.Add(Gauge.Connections, 3);
        gauges.Add(Gauge.Connections, -1);
        BrokerCounters.Add(Metric.MessagesQos1Received, 2);
        BrokerCounters.Add(Metric.MessagesQos2Received);
        listener.RecordObservableInstruments();
        Assert.Equal(2, values["broker.connections"]);
        Assert.True(values["broker.messages.received"] >= before + 3); // other tests count in the same process
        Assert.IsType<ObservableCounter<long>>(instruments["broker.messages.received"]);
        Assert.IsType<ObservableUpDownCounter<long>>(instruments["broker.connections"]);
    }

    public void Dispose()
    {
        listener.Dispose();
        services.Dispose();
    }

    private async Task StartAsync()
    {
        await new BrokerMeter(services.GetRequiredService<IMeterFactory>(), gauges).StartAsync(CancellationToken.None);
        listener.Start();
    }
}
