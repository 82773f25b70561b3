using System.Diagnostics;
using Broker.Silo.Telemetry;
using OpenTelemetry.Trace;
using Xunit;

namespace Broker.Tests.Unit.Silo.Telemetry;

public class BrokerSamplerTests
{
    [Theory]
    [InlineData("broker.connect", null, true)]
    [InlineData("broker.session.load", false, true)] // below what Orleans does by itself
    [InlineData("publish receive", null, true)]
    [InlineData("publish receive", true, true)] // of a publisher that is followed
    [InlineData("shard dispatch", true, true)]
    [InlineData("ISessionGrain/Open", true, true)]
    [InlineData("ISessionGrain/Open", false, false)]
    [InlineData("ITopicShardGrain/Publish", null, false)]
    [InlineData("place grain", null, false)]
    public void OnlyWhatTheBrokerBeganIsSampled_AndWhatHangsBelow(string name, bool? parentIsRecorded, bool expected)
    {
        var parent = parentIsRecorded is not { } recorded ? default
            : new ActivityContext(ActivityTraceId.CreateRandom(), ActivitySpanId.CreateRandom(), recorded ? ActivityTraceFlags.Recorded : ActivityTraceFlags.None);
        var result = new BrokerSampler().ShouldSample(new SamplingParameters(parent, ActivityTraceId.CreateRandom(), name, ActivityKind.Internal));
        Assert.Equal(expected ? SamplingDecision.RecordAndSample : SamplingDecision.Drop, result.Decision);
    }
}
