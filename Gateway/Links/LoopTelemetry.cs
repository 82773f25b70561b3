using Broker.Grains.Interfaces.Metrics;
using Microsoft.Extensions.Options;

namespace Broker.Gateway.Links;

/// <summary>What event loops measure and trace.</summary>
internal sealed class LoopTelemetry(LatencyInstruments latencies, IOptions<MetricsOptions> metrics, IOptions<TelemetryOptions> telemetry)
{
    /// <summary>Where times go.</summary>
    public LatencyInstruments Latencies => latencies;

    /// <summary>What a new loop times its deliveries with.</summary>
    public DeliveryWatch MakeWatch() => new(latencies, metrics.Value.LatencySample);

    /// <summary>What a new loop chooses messages with; null if none is traced.</summary>
    public MessageSampler? MakeSampler() =>
        telemetry.Value is { TracesMessages: true } options ? new MessageSampler(options.SampleRatio, options.FollowTraceparent) : null;
}
