using System.Threading.Channels;
using Broker.Grains.Interfaces.Metrics;

namespace Broker.Gateway.Hooks;

/// <summary>Runs what callbacks are told: several at once, but one client's in their order. Thread-safe.</summary>
internal sealed class HookLanes : IAsyncDisposable
{
    private const int MaxWaiting = 10_000;
    private readonly Channel<Func<Task>>[] lanes;
    private readonly Lazy<Task> running;

    public HookLanes()
    {
        lanes = new Channel<Func<Task>>[Environment.ProcessorCount * 4]; // callbacks await more than they compute
        for (var i = 0; i < lanes.Length; i++) lanes[i] = Channel.CreateBounded<Func<Task>>(new BoundedChannelOptions(MaxWaiting) { SingleReader = true });
        running = new Lazy<Task>(() => Task.WhenAll(Array.ConvertAll(lanes, lane => Task.Run(() => RunAsync(lane.Reader)))));
    }

    /// <summary>Runs it behind what waits for the same client, or drops it if that is too much.</summary>
    public void Post(string client, Func<Task> work)
    {
        _ = running.Value;
        if (!lanes[(uint)client.GetHashCode(StringComparison.Ordinal) % lanes.Length].Writer.TryWrite(work)) BrokerCounters.Add(Metric.HooksDropped);
    }

    /// <summary>Takes no more, and waits until what is there has run.</summary>
    public async ValueTask DisposeAsync()
    {
        foreach (var lane in lanes) lane.Writer.TryComplete();
        if (running.IsValueCreated) await running.Value;
    }

    private static async Task RunAsync(ChannelReader<Func<Task>> waiting)
    {
        await foreach (var work in waiting.ReadAllAsync()) await work();
    }
}
