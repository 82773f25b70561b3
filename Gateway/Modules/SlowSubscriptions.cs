using System.ComponentModel.DataAnnotations;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Options;

namespace Broker.Gateway.Modules;

/// <summary>What slow subscriptions are, and how many of them are kept.</summary>
internal sealed class SlowSubscriptionOptions
{
    public const string Section = "SlowSubscriptions";

    /// <summary>What takes less is not slow.</summary>
    [Range(typeof(TimeSpan), "00:00:00.001", "1.00:00:00")]
    public TimeSpan Threshold { get; set; } = TimeSpan.FromMilliseconds(500);

    /// <summary>How many are kept, the slowest of all.</summary>
    [Range(1, 1000)]
    public int TopCount { get; set; } = 10;

    /// <summary>How long one is kept that does not become slower.</summary>
    [Range(typeof(TimeSpan), "00:00:01", "1.00:00:00")]
    public TimeSpan ExpireInterval { get; set; } = TimeSpan.FromMinutes(5);

    /// <summary>What is measured: `whole` is from receipt to acknowledgement, or with QoS 0 to the socket; `internal` from receipt to the socket; `response` from there to acknowledgement.</summary>
    [AllowedValues("whole", "internal", "response")]
    public string Stats { get; set; } = "whole";
}

/// <summary>A client that got or acknowledged a message late.</summary>
/// <param name="Milliseconds">How late at the worst.</param>
/// <param name="UpdatedAt">When that was, in Unix milliseconds.</param>
internal readonly record struct SlowSubscription(string ClientId, string Topic, long Milliseconds, long UpdatedAt);

/// <summary>The slowest deliveries of this process, one for each client and topic. Thread-safe; one look while the module is off.</summary>
internal sealed class SlowSubscriptions : BackgroundService
{
    private static readonly TimeSpan Second = TimeSpan.FromSeconds(1);
    private readonly Modules modules;
    private readonly Module module;
    private readonly SlowSubscriptionOptions options;
    private readonly TimeProvider time;
    private readonly Lock gate = new();
    private readonly Dictionary<(string ClientId, string Topic), SlowSubscription> slowest = [];
    private volatile bool isActive;

    /// <summary>What is not slower than this changes nothing: the threshold, or the fastest when there are as many as are kept.</summary>
    private long floor;

    public SlowSubscriptions(Modules modules, ModuleTable states, IOptions<SlowSubscriptionOptions> slow, TimeProvider time)
    {
        (this.modules, options, this.time) = (modules, slow.Value, time);
        module = modules.Find(Modules.SlowSubscriptions)!;
        floor = Threshold;
        states.Updated += Follow;
        Follow();
    }

    /// <summary>Whether deliveries are to be measured.</summary>
    public bool IsActive => isActive;

    /// <summary>Whether QoS 1 and 2 count when they are acknowledged, not when they are sent.</summary>
    public bool AwaitsAcknowledgement => options.Stats != "internal";

    /// <summary>Whether time counts from the receipt of a message, not from its sending.</summary>
    public bool CountsFromReceipt => options.Stats != "response";

    public int TopCount => options.TopCount;

    private long Threshold => (long)options.Threshold.TotalMilliseconds - 1;

    /// <summary>A delivery has taken a time.</summary>
    public void Add(string clientId, string topic, long milliseconds)
    {
        if (milliseconds <= Volatile.Read(ref floor)) return;
        var now = time.GetUtcNow().ToUnixTimeMilliseconds();
        lock (gate)
        {
            if (slowest.TryGetValue((clientId, topic), out var before) && before.Milliseconds >= milliseconds) return;
            slowest[(clientId, topic)] = new SlowSubscription(clientId, topic, milliseconds, now);
            if (slowest.Count > options.TopCount) slowest.Remove(Fastest());
            SetFloor();
        }
    }

    /// <summary>Whether a time may be of interest. The way of every delivery while the module is on.</summary>
    public bool IsSlow(long milliseconds) => milliseconds > Volatile.Read(ref floor);

    /// <summary>All of them.</summary>
    public SlowSubscription[] Read()
    {
        Expire();
        lock (gate) return [.. slowest.Values];
    }

    /// <summary>Forgets all.</summary>
    public int Clear()
    {
        lock (gate)
        {
            var count = slowest.Count;
            slowest.Clear();
            SetFloor();
            return count;
        }
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        try
        {
            using var timer = new PeriodicTimer(Second, time);
            while (await timer.WaitForNextTickAsync(stoppingToken)) Expire();
        }
        catch (OperationCanceledException)
        {
            // The process stops, or could not start.
        }
    }

    private void Expire()
    {
        lock (gate)
        {
            if (slowest.Count == 0) return;
            var oldest = (time.GetUtcNow() - options.ExpireInterval).ToUnixTimeMilliseconds();
            foreach (var (key, one) in slowest)
            {
                if (one.UpdatedAt <= oldest) slowest.Remove(key);
            }

            SetFloor();
        }
    }

    private void Follow()
    {
        isActive = modules.IsActive(module);
        if (!isActive) Clear();
    }

    private void SetFloor() => Volatile.Write(ref floor, slowest.Count < options.TopCount ? Threshold : slowest[Fastest()].Milliseconds);

    /// <remarks>At most a thousand are looked at, and only for one that is slower.</remarks>
    private (string ClientId, string Topic) Fastest() => slowest.MinBy(pair => pair.Value.Milliseconds).Key;
}
