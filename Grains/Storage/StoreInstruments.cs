using System.Diagnostics.Metrics;
using Broker.Grains.Interfaces.Metrics;

namespace Broker.Grains.Storage;

/// <summary>What the store counts. Meter <see cref="MeterName"/>.</summary>
internal sealed class StoreInstruments
{
    /// <summary>The meter to listen to.</summary>
    public const string MeterName = "Broker.Storage";

    private readonly Meter meter;
    private readonly Counter<long> writes;
    private readonly Counter<long> batches;
    private readonly Counter<long> cancelled;
    private readonly Counter<long> failed;
    private readonly Histogram<double> commitDuration;

    public StoreInstruments(IMeterFactory meters)
    {
        meter = meters.Create(MeterName);
        writes = meter.CreateCounter<long>("broker.store.writes", "{write}", "Writes committed, cancelled ones included.");
        batches = meter.CreateCounter<long>("broker.store.batches", "{batch}", "Transactions committed.");
        cancelled = meter.CreateCounter<long>("broker.store.cancelled", "{write}", "Appends acknowledged before their turn and never written.");
        failed = meter.CreateCounter<long>("broker.store.failed", "{write}", "Writes not stored, by reason.");
        commitDuration = LatencyInstruments.Create(meter, "broker.store.commit.duration", "From the first statement of a batch to the end of its COMMIT.");
    }

    /// <summary>The meter itself, for tests to listen to one store of many.</summary>
    internal Meter Meter => meter;

    /// <summary>Reports how many writes wait.</summary>
    public void ObservePending(Func<int> pending) =>
        meter.CreateObservableGauge("broker.store.pending", pending, "{write}", "Writes submitted and not yet reported.");

    /// <summary>A transaction ended well.</summary>
    public void BatchCommitted(int count, TimeSpan duration)
    {
        writes.Add(count);
        batches.Add(1);
        commitDuration.Record(duration.TotalSeconds);
    }

    /// <summary>Appends were taken back before their turn.</summary>
    public void WritesCancelled(int count) => cancelled.Add(count);

    /// <summary>Writes were refused.</summary>
    public void WritesFailed(int count, StoreException reason) => failed.Add(count, new KeyValuePair<string, object?>("reason", reason switch
    {
        StoreFullException => "full",
        SessionFencedException or NodeFencedException => "fenced",
        StoreUnavailableException => "unavailable",
        _ => "refused",
    }));
}
