using System.Diagnostics;
using Broker.Gateway.Links;
using Broker.Grains.Interfaces.Messages;
using Broker.Grains.Interfaces.Metrics;
using Xunit;

namespace Broker.Tests.Unit.Gateway.Links;

public sealed class MessageSamplerTests : IDisposable
{
    private const string Sampled = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    private readonly ActivityListener listener = new()
    {
        ShouldListenTo = source => source.Name == BrokerActivities.SourceName,
        Sample = (ref ActivityCreationOptions<ActivityContext> _) => ActivitySamplingResult.AllDataAndRecorded,
    };

    public MessageSamplerTests() => ActivitySource.AddActivityListener(listener);

    public void Dispose() => listener.Dispose();

    [Theory]
    [InlineData(0, 0, 0)]
    [InlineData(0.01, 800, 1200)] // six standard deviations
    [InlineData(1, 100_000, 100_000)]
    public void AboutThatPartIsTraced_WhenARatioIsGiven(double ratio, int least, int most)
    {
        var sampler = new MessageSampler(ratio, followsPublishers: false);
        var plain = TestMessage.On("a");
        var traced = 0;
        for (var number = 0; number < 100_000; number++)
        {
            var message = plain;
            using var activity = sampler.Begin(ref message);
            if (activity is not null) traced++;
            Assert.Equal(activity is null, message.TraceParent is null);
        }

        Assert.InRange(traced, least, most);
    }

    [Theory]
    [InlineData(true, Sampled, true)]
    [InlineData(false, Sampled, false)]
    [InlineData(true, "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00", false)]
    [InlineData(true, "01", false)]
    public void PublishersTraceIsFollowed_IfItIsSampledAndMayBe(bool follows, string traceParent, bool expected)
    {
        var message = TestMessage.On("a").With(properties: new MessageProperties { User = [new("other", "x"), new("traceparent", traceParent)] });
        using var activity = new MessageSampler(0, follows).Begin(ref message);
        Assert.Equal(expected, activity is not null);
        Assert.Equal(expected, message.TraceParent?.StartsWith(Sampled[..36], StringComparison.Ordinal) == true);
    }

    [Fact]
    public void NoStepIsTheRunningActivity_WhereverItEnds()
    {
        using var around = new Activity("around").Start();
        var message = TestMessage.On("a");
        var first = new MessageSampler(1, followsPublishers: false).Begin(ref message)!;
        var second = MessageActivities.Append(ref message, "client")!;
        Assert.Same(around, Activity.Current);
        first.Dispose();
        second.Cancel();
        Assert.Same(around, Activity.Current);
    }

    [Fact]
    public void TraceEnds_WhenTheMessageIsStored()
    {
        var message = TestMessage.On("a").Traced(Sampled).From(new MessageOrigin(1, 2));
        Assert.Equal(Sampled, message.ExpiringAt(5).With(qos: Qos.AtMostOnce).WithoutOrigin().TraceParent);
        Assert.Null(message.WithoutWay().TraceParent);
        Assert.Null(message.WithoutWay().Origin);
        Assert.Null(message.Traced(null).TraceParent);
    }
}
