using System.Threading.Channels;
using Broker.Grains.Interfaces.Metrics;

namespace Broker.Gateway.Hooks;

/// <summary>Runs what callbacks are told: several at once, but one client's in their order. Thread-safe.</summary>
internal sealed class HookLanes : IDisposable
{
    private const int MaxWaiting = 10_000;
    private readonly Channel<Func<Task>>[] lanes;
    private readonly Lazy<Task[]> running;
    private volatile bool isOver;

    public HookLanes()
    {
        lanes = new Channel<Func<Task>>[Environment.ProcessorCount * 4]; // callbacks await more than they compute
        for (var i = 0; i < lanes.Length; i++) lanes[i] = Channel.CreateBounded<Func<Task>>(new BoundedChannelOptions(MaxWaiting) { SingleReader = true });
        running = new Lazy<Task[]>(() => Array.ConvertAll(lanes, lane => Task.Run(() => RunAsync(lane.Reader))));
    }

    /// <summary>Runs it behind what waits for the same client, or drops it if that is too much.</summary>
    /// <param name="work">Must not throw.</param>
    public void Post(string client, Func<Task> work)
    {
        _ = running.Value;
        if (!lanes[(uint)client.GetHashCode(StringComparison.Ordinal) % lanes.Length].Writer.TryWrite(work)) BrokerCounters.Add(Metric.HooksDropped);
    }

    /// <summary>Waits until all that waits now has run, as long as the token allows.</summary>
    public async Task DrainAsync(CancellationToken cancellation)
    {
        if (!running.IsValueCreated) return;
        try
        {
            await Task.WhenAll(lanes.Select(async lane =>
            {
                var passed = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
                await lane.Writer.WriteAsync(
                    () =>
                    {
                        passed.SetResult();
                        return Task.CompletedTask;
                    },
                    cancellation);
                await passed.Task;
            })).WaitAsync(cancellation);
        }
        catch (Exception fault) when (fault is OperationCanceledException or ChannelClosedException)
        {
            // The broker ends without them.
        }
    }

    /// <summary>Takes no more, and forgets what waits.</summary>
    public void Dispose()
    {
        isOver = true;
        foreach (var lane in lanes) lane.Writer.TryComplete();
    }

    private async Task RunAsync(ChannelReader<Func<Task>> waiting)
    {
        await foreach (var work in waiting.ReadAllAsync())
        {
            if (!isOver) await work();
        }
    }
}
