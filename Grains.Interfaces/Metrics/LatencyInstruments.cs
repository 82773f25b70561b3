using System.Diagnostics.Metrics;
using Broker.Grains.Interfaces.Messages;

namespace Broker.Grains.Interfaces.Metrics;

/// <summary>How long things take: the histograms of meter <see cref="MetricNames.MeterName"/>. Thread-safe; one instance for each broker.</summary>
public sealed class LatencyInstruments
{
    private static readonly KeyValuePair<string, object?>[] QosTags = [new("qos", 0), new("qos", 1), new("qos", 2)];

    private readonly Histogram<double> message;
    private readonly Histogram<double> connect;
    private readonly Histogram<double> link;

    /// <param name="meters">The broker's own, so that others in the process do not show its times.</param>
    public LatencyInstruments(IMeterFactory meters)
    {
        var meter = meters.Create(MetricNames.MeterName);
        message = Create(meter, "broker.message.latency", "From a PUBLISH having been read to its being written to a subscriber's socket, of a sample of all deliveries.");
        connect = Create(meter, "broker.connect.duration", "From a CONNECT having been read to CONNACK having been written, of clients that were accepted.");
        link = Create(meter, "broker.link.duration", "From a batch having been sent to another grain or process to its answer.");
    }

    /// <summary>Boundaries for times in seconds: a broker's are between tens of microseconds and seconds.</summary>
    public static double[] Boundaries { get; } =
        [0.00005, 0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];

    /// <summary>A histogram of times with <see cref="Boundaries"/>.</summary>
    public static Histogram<double> Create(Meter meter, string name, string description) =>
        meter.CreateHistogram(name, "s", description, tags: null, new InstrumentAdvice<double> { HistogramBucketBoundaries = Boundaries });

    /// <summary>A message is in the buffers of its subscriber's socket.</summary>
    /// <param name="qos">The delivery's.</param>
    public void Delivered(Qos qos, double seconds) => message.Record(seconds, QosTags[(int)qos]);

    /// <summary>A client has been accepted.</summary>
    public void Connected(TimeSpan took) => connect.Record(took.TotalSeconds);

    /// <summary>A batch has been answered.</summary>
    /// <param name="to">What is at the other end: `shard`, `gateway` or `session`.</param>
    public void Answered(string to, TimeSpan took) => link.Record(took.TotalSeconds, new KeyValuePair<string, object?>("to", to));
}
