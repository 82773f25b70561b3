using System.Collections.Concurrent;
using System.Diagnostics;
using System.Diagnostics.Metrics;
using Broker.Gateway.Mqtt.Packets;
using Broker.Grains.Interfaces.Messages;
using Broker.Grains.Interfaces.Metrics;
using Broker.Silo;
using Broker.Tests.Protocol.Harness;
using Microsoft.Extensions.DependencyInjection;
using Xunit;

namespace Broker.Tests.Protocol;

/// <summary>What an exporter would see: the broker's meter, its activities, and Orleans' below them. Listeners hear the whole process, in which other tests may run.</summary>
public sealed class TelemetryTests(BrokerHost broker) : IClassFixture<BrokerHost>, IDisposable
{
    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(10);
    private readonly ConcurrentQueue<Activity> ended = new();
    private ActivityListener? activities;

    [Fact]
    public async Task CountersAndGaugesMove_WhenAMessageIsPublished()
    {
        await using var broker = await BrokerHost.StartAsync([]); // no client of another test comes or goes
        var values = new Dictionary<string, long>();
        using var listener = new MeterListener();
        listener.InstrumentPublished = (instrument, self) =>
        {
            if (instrument.Meter.Name == BrokerMeter.MeterName && instrument.Meter.Scope == broker.Services.GetRequiredService<IMeterFactory>()) self.EnableMeasurementEvents(instrument);
        };
        listener.SetMeasurementEventCallback<long>((instrument, value, _, _) => values[instrument.Name] = value);
        listener.Start();
        listener.RecordObservableInstruments();
        var before = values.ToDictionary();

        await using var client = await RawClient.ConnectAsync(broker, "metered");
        await client.SubscribeAsync("metered");
        await client.SendAsync(WirePacket.Publish("metered", "x", Qos.AtLeastOnce, 7));
        await client.ExpectAsync(PacketType.Publish);
        await client.ExpectAsync(PacketType.Puback);

        listener.RecordObservableInstruments();
        foreach (var name in new[] { "broker.messages.received", "broker.messages.qos1.received", "broker.messages.sent", "broker.packets.connect.received", "broker.bytes.received" })
        {
            Assert.True(values[name] > before[name], $"{name}: {before[name]} before, {values[name]} after");
        }

        Assert.Equal(before["broker.connections"] + 1, values["broker.connections"]);
        Assert.Equal(before["broker.subscriptions"] + 1, values["broker.subscriptions"]);
    }

    [Fact]
    public async Task ConnectIsTracedWithItsGrainCalls_WhenTheSessionIsDurable()
    {
        Listen(BrokerActivities.SourceName, "Microsoft.Orleans.Application", "Microsoft.Orleans.Runtime", "Microsoft.Orleans.Lifecycle");
        await using var client = await RawClient.ConnectAsync(broker, "traced", cleanStart: false, expiry: 100);
        var connect = await EndedAsync("broker.connect", "traced");
        Assert.Equal((ActivityKind.Server, ActivityStatusCode.Unset), (connect.Kind, connect.Status));
        Assert.Null(connect.ParentId);
        // The gateway's call, and the session's execution of it.
        var call = await EndedAsync(one => one.ParentSpanId == connect.SpanId && one.Source.Name.StartsWith("Microsoft.Orleans", StringComparison.Ordinal) && Concerns(one, "Open"));
        await EndedAsync(one => one.ParentSpanId == call.SpanId && Concerns(one, "Open"));
        var load = await EndedAsync("broker.session.load", "traced");
        Assert.Equal(connect.TraceId, load.TraceId);
    }

    [Fact]
    public async Task SubscriptionsAreTracedAndMessagesAreNot_WhenListenedTo()
    {
        Listen(BrokerActivities.SourceName);
        await using var client = await RawClient.ConnectAsync(broker, "subscribes", cleanStart: false, expiry: 100);
        await client.SubscribeAsync("subscribes", Qos.AtLeastOnce);
        await client.PublishAsync("elsewhere", "x");
        await client.SendAsync(WirePacket.Publish("subscribes", "x", Qos.AtLeastOnce, 7));
        await client.ExpectPublishAsync("subscribes", "x", Qos.AtLeastOnce);
        await client.ExpectAsync(PacketType.Puback);
        await client.SendAsync(WirePacket.Unsubscribe(9, ["subscribes"]));
        await client.ExpectAsync(PacketType.Unsuback);
        await EndedAsync("broker.unsubscribe", "subscribes");
        Assert.Equal(
            ["broker.session.load", "broker.connect", "broker.subscribe", "broker.unsubscribe"],
            ended.Where(one => Equals(one.GetTagItem("messaging.client.id"), "subscribes")).Select(one => one.OperationName));
        Assert.Null(Activity.Current);
    }

    [Fact]
    public async Task NothingIsTraced_WhenTheSessionIsTransient()
    {
        Listen(BrokerActivities.SourceName);
        await using (await RawClient.ConnectAsync(broker, "transient"))
        {
        }

        await using var after = await RawClient.ConnectAsync(broker, "after", cleanStart: false, expiry: 100);
        await EndedAsync("broker.connect", "after");
        Assert.DoesNotContain(ended, one => Equals(one.GetTagItem("messaging.client.id"), "transient"));
    }

    [Fact]
    public async Task RecoveryAndAuditOfShardsAreTraced_WhenABrokerStarts()
    {
        Listen(BrokerActivities.SourceName);
        await using var starting = await BrokerHost.StartAsync(new() { ["Routing:Shards"] = "2", ["Routing:AuditInterval"] = "00:00:00.1" });
        foreach (var shard in new[] { 0, 1 })
        {
            await EndedAsync(one => one.OperationName == "broker.shard.recover" && Equals(one.GetTagItem("broker.shard"), shard));
            var audit = await EndedAsync(one => one.OperationName == "broker.shard.audit" && Equals(one.GetTagItem("broker.shard"), shard));
            Assert.Equal(0, audit.GetTagItem("broker.routes.repaired"));
        }
    }

    public void Dispose() => activities?.Dispose();

    private static bool Concerns(Activity activity, string method) => activity.OperationName.EndsWith("/" + method, StringComparison.Ordinal);

    private void Listen(params string[] sources)
    {
        activities = new ActivityListener
        {
            ShouldListenTo = source => sources.Contains(source.Name),
            Sample = (ref ActivityCreationOptions<ActivityContext> _) => ActivitySamplingResult.AllDataAndRecorded,
            ActivityStopped = ended.Enqueue,
        };
        ActivitySource.AddActivityListener(activities);
    }

    private Task<Activity> EndedAsync(string name, string clientId) =>
        EndedAsync(one => one.OperationName == name && Equals(one.GetTagItem("messaging.client.id"), clientId));

    /// <summary>An activity is told of a moment after what it leads to.</summary>
    private async Task<Activity> EndedAsync(Func<Activity, bool> wanted)
    {
        var started = TimeProvider.System.GetTimestamp();
        while (true)
        {
            if (ended.FirstOrDefault(wanted) is { } found) return found;
            if (TimeProvider.System.GetElapsedTime(started) > Deadline)
            {
                throw new TimeoutException($"Not among {string.Join(", ", ended.Select(one => $"{one.Source.Name} {one.OperationName} {one.SpanId} < {one.ParentSpanId}"))}");
            }

            await Task.Delay(10);
        }
    }
}
