using System.Diagnostics;
using Broker.Grains.Interfaces.Metrics;
using OpenTelemetry.Trace;

namespace Broker.Silo.Telemetry;

/// <summary>Exports what the broker itself has begun, and what came of it: its rare and costly work, and the messages that the gateways have sampled. Orleans' timers, health pings and batches begin
/// traces too, which nobody wants.</summary>
internal sealed class BrokerSampler : Sampler
{
    public override SamplingResult ShouldSample(in SamplingParameters samplingParameters)
    {
        var isOurs = samplingParameters.Name.StartsWith("broker.", StringComparison.Ordinal);
        var parent = samplingParameters.ParentContext;
        var isWanted = isOurs || (parent.TraceId == default ? samplingParameters.Name == MessageActivities.ReceiveName : (parent.TraceFlags & ActivityTraceFlags.Recorded) != 0);
        return new SamplingResult(isWanted ? SamplingDecision.RecordAndSample : SamplingDecision.Drop);
    }
}
