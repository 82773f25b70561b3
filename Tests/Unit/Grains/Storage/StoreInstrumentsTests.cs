using System.Collections.Concurrent;
using System.Diagnostics.Metrics;
using Broker.Grains.Interfaces.Messages;
using Broker.Grains.Storage.Writes;
using Xunit;

namespace Broker.Tests.Unit.Grains.Storage;

public class StoreInstrumentsTests
{
    [Fact]
    public async Task EveryOutcomeIsCounted_WhenWritesAreCommittedCancelledAndRefused()
    {
        await using var test = await TestStore.OpenAsync();
        var lease = await test.CreateAsync("c");
        ConcurrentDictionary<string, double> sums = [];
        using MeterListener listener = new();
        listener.InstrumentPublished = (instrument, self) =>
        {
            if (instrument.Meter == test.Meter) self.EnableMeasurementEvents(instrument);
        };
        listener.SetMeasurementEventCallback<long>((instrument, value, tags, _) =>
            sums.AddOrUpdate(tags.Length == 0 ? instrument.Name : $"{instrument.Name} {tags[0].Value}", value, (_, sum) => sum + value));
        listener.SetMeasurementEventCallback<int>((instrument, value, _, _) => sums[instrument.Name] = value);
        listener.SetMeasurementEventCallback<double>((instrument, _, _, _) => sums.AddOrUpdate(instrument.Name, 1, (_, sum) => sum + 1));
        listener.Start();
        await test.WriteAsync(
            o => new AppendToQueue(lease, 1, TestStore.Message(), Qos.AtLeastOnce) { Observer = o },
            o => new RemoveFromQueue(lease, 1) { Observer = o },
            o => new AddReceipt(lease with { Epoch = 9 }, 1, 7) { Observer = o });
        await test.Store.GetOrCreateSettingAsync("last", "");
        listener.RecordObservableInstruments();
        Assert.Equal(1, sums["broker.store.cancelled"]);
        Assert.Equal(1, sums["broker.store.failed fenced"]);
        // The write that holds the writer, the pair and the setting; the report of the last may be counted a moment after it.
        Assert.InRange(sums["broker.store.writes"], 3, 4);
        Assert.InRange(sums["broker.store.batches"], 2, 3);
        Assert.InRange(sums["broker.store.commit.duration"], 2, 3);
        Assert.Equal(0, sums["broker.store.pending"]);
    }
}
