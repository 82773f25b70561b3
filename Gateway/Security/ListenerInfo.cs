using System.Collections.Concurrent;

namespace Broker.Gateway.Security;

/// <summary>What a connection has of the listener that accepted it, and how many connections that has. Thread-safe.</summary>
internal sealed class ListenerInfo(string name)
{
    /// <summary>Reasons are words of the program: there are not many. In case one is not, so many are kept.</summary>
    private const int MaxReasons = 64;

    private readonly ConcurrentDictionary<string, long> ends = new(StringComparer.Ordinal);
    private int connections;

    /// <summary>For connections that no listener accepted.</summary>
    public static ListenerInfo None { get; } = new("none");

    public string Name { get; } = name;

    /// <summary>The port it listens on; set when it does.</summary>
    public int Port { get; set; }

    /// <summary>Prefix of its clients' topics; null takes the broker's.</summary>
    public string? Mountpoint { get; init; }

    /// <summary>False if its clients are taken as they are.</summary>
    public bool Authenticates { get; init; } = true;

    /// <summary>How many connections it has.</summary>
    public int Connections => Volatile.Read(ref connections);

    public void Opened() => Interlocked.Increment(ref connections);

    /// <summary>Why connections ended, and how many.</summary>
    public IReadOnlyDictionary<string, long> Ends => ends;

    /// <summary>A connection ends.</summary>
    public void Ended(string reason) => ends.AddOrUpdate(ends.Count < MaxReasons || ends.ContainsKey(reason) ? reason : "other", 1, static (_, count) => count + 1);

    public void Closed() => Interlocked.Decrement(ref connections);
}
