using System.Collections.Concurrent;

namespace Broker.Gateway.Cli.Bench;

/// <summary>Has each publisher send a message whenever its interval has passed. As all intervals are equal, who was due first is due first again: a queue is enough.</summary>
internal sealed class Pacer(TimeSpan interval)
{
    private static readonly TimeSpan Tick = TimeSpan.FromMilliseconds(1);
    private readonly long nanoseconds = interval.Ticks * 100;
    private readonly ConcurrentQueue<BenchClient> joining = [];
    private readonly Queue<(long Due, BenchClient Client)> waiting = [];

    /// <summary>Adds a publisher; its first message is due within one interval.</summary>
    public void Add(BenchClient client) => joining.Enqueue(client);

    /// <summary>Sends until it is stopped or no more are to be sent.</summary>
    public async Task RunAsync(CancellationToken stop)
    {
        using var timer = new PeriodicTimer(Tick);
        do
        {
            if (!SendDue()) return;
        }
        while (!stop.IsCancellationRequested && await timer.WaitForNextTickAsync(CancellationToken.None));
    }

    private bool SendDue()
    {
        var now = BenchClock.Now;
        // Clients that were connected at once would send at once, time after time.
        if (!joining.IsEmpty) Join(now);
        while (waiting.TryPeek(out var first) && first.Due <= now)
        {
            waiting.Dequeue();
            if (!first.Client.IsConnected) continue;
            if (!first.Client.Publisher!.SendDue()) return false;
            _ = first.Client.FlushAsync();
            waiting.Enqueue((first.Due + nanoseconds, first.Client));
        }

        return true;
    }

    private void Join(long now)
    {
        var all = waiting.ToList();
        while (joining.TryDequeue(out var client)) all.Add((now + Random.Shared.NextInt64(nanoseconds) + 1, client));
        all.Sort(static (one, other) => one.Due.CompareTo(other.Due));
        waiting.Clear();
        foreach (var one in all) waiting.Enqueue(one);
    }
}
