using System.Collections.Concurrent;

namespace Broker.Gateway.Cli.Bench;

/// <summary>What all clients of a benchmark count together.</summary>
internal sealed class BenchTally(long limit) : IDisposable
{
    private long taken;

    /// <summary>From the socket's connect to CONNACK.</summary>
    public Latencies Connect { get; } = new();

    /// <summary>From PUBLISH to PUBACK or PUBCOMP.</summary>
    public Latencies Acknowledge { get; } = new();

    /// <summary>From one client's PUBLISH to another's.</summary>
    public Latencies Deliver { get; } = new();

    /// <summary>What went wrong, and how often.</summary>
    public ConcurrentDictionary<string, long> Errors { get; } = new();

    /// <summary>Whether all messages that were to be sent have been.</summary>
    public bool IsSpent => limit > 0 && Interlocked.Read(ref taken) >= limit;

    /// <summary>Whether one more message may be sent.</summary>
    public bool TryTake() => limit == 0 || Interlocked.Increment(ref taken) <= limit;

    public void Fail(string reason) => Errors.AddOrUpdate(reason, 1, static (_, count) => count + 1);

    public void Dispose()
    {
        Connect.Dispose();
        Acknowledge.Dispose();
        Deliver.Dispose();
    }
}
