using System.Text.Json.Serialization;
using Broker.Gateway.Records;
using Broker.Grains.Interfaces.Messages;
using Broker.Grains.Interfaces.Topics;
using Microsoft.Extensions.Hosting;

namespace Broker.Gateway.Modules;

/// <summary>That a topic is counted.</summary>
internal sealed record CountedTopic(long Since);

[JsonSerializable(typeof(CountedTopic))]
internal sealed partial class CountedTopicJson : JsonSerializerContext;

/// <summary>The topics that are counted, cluster-wide.</summary>
internal sealed class CountedTopics() : RecordTable<CountedTopic>("topic_metric", CountedTopicJson.Default.CountedTopic)
{
    /// <summary>They have become more or fewer.</summary>
    public event Action? Updated;

    protected override string? FaultOf(string key, CountedTopic value) => TopicFilter.TryParse(key, out var topic) && !topic.HasWildcard && !topic.IsShared ? null : $"'{key}' is no topic";

    protected override void Changed(Entry? before, Entry? after) => Updated?.Invoke();
}

/// <summary>What went over one topic through this process. Thread-safe.</summary>
internal sealed class TopicCounters
{
    /// <summary>EMQ X's names of the counters, in the order of their places.</summary>
    public static readonly string[] Names =
    [
        "messages.in", "messages.out", "messages.dropped", "messages.qos0.in", "messages.qos1.in", "messages.qos2.in", "messages.qos0.out", "messages.qos1.out", "messages.qos2.out",
    ];

    private const int In = 0, Out = 1, Dropped = 2, QosIn = 3, QosOut = 6;

    /// <summary>Seconds over which a rate is the mean.</summary>
    private const int Window = 5;

    private readonly long[] counts = new long[Names.Length];
    private readonly long[][] samples = [.. Enumerable.Range(0, Window + 1).Select(_ => new long[Names.Length])];
    private int taken;

    public void CountIn(Qos qos) => Count(In, QosIn + (int)qos);

    public void CountOut(Qos qos) => Count(Out, QosOut + (int)qos);

    public void CountDropped() => Interlocked.Increment(ref counts[Dropped]);

    /// <summary>One more second has passed.</summary>
    public void Tick()
    {
        lock (samples)
        {
            taken++;
            counts.CopyTo(samples[taken % samples.Length].AsSpan());
        }
    }

    /// <summary>The counters and what was added a second, by their names' order.</summary>
    public (long Count, double Rate)[] Read()
    {
        lock (samples)
        {
            var seconds = Math.Min(taken, Window);
            var (newest, oldest) = (samples[taken % samples.Length], samples[(taken - seconds) % samples.Length]);
            return [.. counts.Select((count, at) => (Volatile.Read(ref counts[at]), seconds == 0 ? 0 : (newest[at] - oldest[at]) / (double)seconds))];
        }
    }

    private void Count(int all, int one)
    {
        Interlocked.Increment(ref counts[all]);
        Interlocked.Increment(ref counts[one]);
    }
}

/// <summary>Counts what goes over single topics. While none is counted it costs one look at a field.</summary>
internal sealed class TopicMetrics : BackgroundService
{
    /// <summary>Topics that can be counted at once.</summary>
    public const int MaxTopics = 512;

    private static readonly TimeSpan Second = TimeSpan.FromSeconds(1);
    private readonly Modules modules;
    private readonly Module module;
    private readonly CountedTopics topics;
    private readonly TimeProvider time;
    private readonly Lock gate = new();
    private volatile Dictionary<TopicName, TopicCounters>? counters;

    public TopicMetrics(Modules modules, ModuleTable states, CountedTopics topics, TimeProvider time)
    {
        (this.modules, this.topics, this.time) = (modules, topics, time);
        module = modules.Find(Modules.TopicMetrics)!;
        topics.Updated += Follow;
        states.Updated += Follow;
        Follow();
    }

    /// <summary>The counters of a topic; null if it is not counted.</summary>
    public TopicCounters? Find(TopicName topic) => counters is { } all && all.TryGetValue(topic, out var found) ? found : null;

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        try
        {
            using var timer = new PeriodicTimer(Second, time);
            while (await timer.WaitForNextTickAsync(stoppingToken))
            {
                foreach (var one in counters?.Values.ToArray() ?? []) one.Tick();
            }
        }
        catch (OperationCanceledException)
        {
            // The process stops, or could not start.
        }
    }

    private void Follow()
    {
        lock (gate)
        {
            var before = counters;
            counters = !modules.IsActive(module) || topics.Count == 0 ? null
                : topics.All.Select(entry => TopicName.Parse(entry.Key)).ToDictionary(name => name, name => before?.GetValueOrDefault(name) ?? new TopicCounters());
        }
    }
}
