using System.Diagnostics.Metrics;
using Broker.Grains.Interfaces.Metrics;

namespace Broker.Gateway.Security.Sources;

/// <summary>What is counted of sources whose answers come over the network. Meter <see cref="MeterName"/>, tag `source`.</summary>
internal sealed class SourceInstruments
{
    /// <summary>The meter to listen to.</summary>
    public const string MeterName = "Broker.Security";

    private readonly Counter<long> failures;
    private readonly Counter<long> refused;
    private readonly Histogram<double> duration;

    public SourceInstruments(IMeterFactory meters)
    {
        Meter = meters.Create(MeterName);
        duration = LatencyInstruments.Create(Meter, "broker.source.query.duration", "Queries that were answered.");
        failures = Meter.CreateCounter<long>("broker.source.failures", "{query}", "Queries without an answer, by reason: error or timeout.");
        refused = Meter.CreateCounter<long>("broker.source.refused", "{query}", "Queries that were not made, by reason: full or down.");
    }

    /// <summary>The meter itself, for tests to listen to one broker of many.</summary>
    internal Meter Meter { get; }

    public void Answered(string source, TimeSpan time) => duration.Record(time.TotalSeconds, new KeyValuePair<string, object?>("source", source));

    public void Failed(string source, bool isTimeout) =>
        failures.Add(1, new KeyValuePair<string, object?>("source", source), new KeyValuePair<string, object?>("reason", isTimeout ? "timeout" : "error"));

    public void Refused(string source, bool isFull) =>
        refused.Add(1, new KeyValuePair<string, object?>("source", source), new KeyValuePair<string, object?>("reason", isFull ? "full" : "down"));
}
