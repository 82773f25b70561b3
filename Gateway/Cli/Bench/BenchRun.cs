using System.Net.Sockets;

namespace Broker.Gateway.Cli.Bench;

/// <summary>A benchmark from its first connection to its last.</summary>
internal sealed class BenchRun(BenchOptions options) : IDisposable
{
    /// <summary>Connections that are being opened at a time.</summary>
    private const int MostOpening = 200;

    private static readonly TimeSpan Step = TimeSpan.FromMilliseconds(50), Quiet = TimeSpan.FromSeconds(2), LongestDrain = TimeSpan.FromSeconds(30);

    private readonly BenchTally tally = new(options.Publishes ? options.Limit : 0);
    private readonly Dialer dialer = new(options);
    private readonly Pacer pacer = new(TimeSpan.FromMilliseconds(Math.Max(options.MessageInterval, 1)));
    private readonly CancellationTokenSource publishing = new();
    private readonly List<BenchClient> clients = [];
    private readonly List<Task> floods = [];
    // Clients of several processes must not take each other's place.
    private readonly string unique = options.Clean ? $"_{Random.Shared.Next(0x1000000):x6}" : "";
    private int tried;

    /// <summary>What has been up to now; any thread.</summary>
    public BenchSample Take()
    {
        BenchClient[] all;
        lock (clients) all = [.. clients];
        long sent = 0, acknowledged = 0, received = 0, heldBack = 0;
        var connected = 0;
        foreach (var client in all)
        {
            received += client.Received;
            if (client.IsConnected) connected++;
            if (client.Publisher is not { } publisher) continue;
            (sent, acknowledged, heldBack) = (sent + publisher.Sent, acknowledged + publisher.Acknowledged, heldBack + publisher.HeldBack);
        }

        return new BenchSample(BenchClock.Now, Volatile.Read(ref tried), connected, sent, acknowledged, received, heldBack, tally.Connect.Take(), tally.Acknowledge.Take(), tally.Deliver.Take(), tally.Errors.ToArray());
    }

    /// <summary>Runs it.</summary>
    /// <param name="stop">Ctrl-C: it ends as it does at its time, and says what was.</param>
    public async Task<BenchResult> RunAsync(CancellationToken stop)
    {
        var began = Take();
        var held = began;
        using var keepingAlive = new PeriodicTimer(TimeSpan.FromSeconds(1));
        var keepAlive = KeepAliveAsync(keepingAlive);
        try
        {
            await dialer.ResolveAsync(stop);
            // Nothing is published before somebody listens.
            if (options.Kind is BenchKind.PubSub or BenchKind.Sub) await OpenAllAsync("sub", subscribes: true, stop);
            if (options.Kind != BenchKind.Sub) await OpenAllAsync(options.Kind == BenchKind.Conn ? "conn" : "pub", subscribes: false, stop);
            held = Take();
            await HoldAsync(stop);
        }
        catch (OperationCanceledException)
        {
            // told to stop
        }
        catch (SocketException fault)
        {
            tally.Fail($"connect: {fault.SocketErrorCode}");
        }

        var ended = Take();
        await publishing.CancelAsync();
        await DrainAsync();
        var last = Take();
        keepingAlive.Dispose();
        await keepAlive;
        await CloseAsync();
        return new BenchResult(options, began, held, ended, last, [.. tally.Errors]);
    }

    public void Dispose()
    {
        publishing.Dispose();
        tally.Dispose();
    }

    private async Task OpenAllAsync(string role, bool subscribes, CancellationToken stop)
    {
        var places = new SemaphoreSlim(MostOpening); // not disposed: when it is stopped, some are still opening
        using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(Math.Max(options.ConnectInterval, 1)));
        var opening = new List<Task>();
        var publishes = role == "pub";
        if (publishes && options.MessageInterval > 0) floods.Add(pacer.RunAsync(publishing.Token));
        for (var at = 0; at < options.Count && !stop.IsCancellationRequested; at++)
        {
            if (at > 0 && options.ConnectInterval > 0) await timer.WaitForNextTickAsync(stop);
            await places.WaitAsync(stop);
            var number = options.StartNumber + at;
            var client = new BenchClient(options, tally, dialer, number, $"bench_{role}_{number}{unique}");
            lock (clients) clients.Add(client);
            opening.Add(OpenAsync(client, subscribes, publishes, places, stop));
        }

        await Task.WhenAll(opening);
    }

    private async Task OpenAsync(BenchClient client, bool subscribes, bool publishes, SemaphoreSlim places, CancellationToken stop)
    {
        var isOpen = await client.OpenAsync(subscribes, stop);
        Interlocked.Increment(ref tried);
        places.Release();
        if (!isOpen || !publishes) return;
        client.BeginToPublish();
        if (options.MessageInterval > 0) pacer.Add(client);
        else lock (floods) floods.Add(Task.Run(() => FloodAsync(client), CancellationToken.None));
    }

    /// <summary>Sends as much as the broker takes. With QoS 1 and 2 acknowledgements drive it; it only begins.</summary>
    private async Task FloodAsync(BenchClient client)
    {
        while (client.IsConnected && !publishing.IsCancellationRequested && client.Publisher!.Fill())
        {
            await client.FlushAsync();
            if (options.Qos > 0) return;
            await Task.Yield(); // others are to send too
        }

        await client.FlushAsync();
    }

    /// <summary>Waits until it is over: its time has come, all messages are through, or nobody is left.</summary>
    private async Task HoldAsync(CancellationToken stop)
    {
        var began = BenchClock.Now;
        using var timer = new PeriodicTimer(Step);
        var isStopped = false;
        using var watch = stop.Register(() => isStopped = true);
        while (!isStopped && !IsOver(began)) await timer.WaitForNextTickAsync(CancellationToken.None);
    }

    private bool IsOver(long began)
    {
        if (options.Duration is { } duration && BenchClock.Now - began >= duration.Ticks * 100) return true;
        if (!Clients().Any(client => client.IsConnected)) return true;
        if (options.Limit == 0) return false;
        return options.Publishes ? tally.IsSpent && Clients().All(client => options.Qos == 0 || !client.IsConnected || client.Publisher is not { } one || one.Acknowledged == one.Sent)
            : options.Kind == BenchKind.Sub && Clients().Sum(client => client.Received) >= options.Limit;
    }

    private async Task KeepAliveAsync(PeriodicTimer timer)
    {
        while (await timer.WaitForNextTickAsync(CancellationToken.None))
        {
            foreach (var client in Clients()) client.KeepAlive(BenchClock.Now);
        }
    }

    /// <summary>What was sent is acknowledged, and received, before it is counted.</summary>
    private async Task DrainAsync()
    {
        foreach (var client in Clients()) client.Publisher?.Stop();
        Task[] all;
        lock (floods) all = [.. floods];
        await Task.WhenAll(all);
        if (!options.Publishes) return;
        using var timer = new PeriodicTimer(Step);
        var began = BenchClock.Now;
        var (quietSince, last) = (began, -1L);
        while (await timer.WaitForNextTickAsync(CancellationToken.None))
        {
            var now = BenchClock.Now;
            var through = Clients().Sum(client => client.Received + (client.Publisher?.Acknowledged ?? 0));
            if (through != last) (last, quietSince) = (through, now);
            var isAcknowledged = options.Qos == 0 || Clients().All(client => !client.IsConnected || client.Publisher is not { } one || one.Acknowledged == one.Sent);
            var isReceived = options.Kind == BenchKind.Pub || now - quietSince >= Quiet.Ticks * 100;
            if ((isAcknowledged && isReceived) || now - began >= LongestDrain.Ticks * 100) return;
        }
    }

    private async Task CloseAsync()
    {
        foreach (var some in Clients().Chunk(MostOpening)) await Task.WhenAll(some.Select(client => client.DisposeAsync().AsTask()));
    }

    private BenchClient[] Clients()
    {
        lock (clients) return [.. clients];
    }
}
