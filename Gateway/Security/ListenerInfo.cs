using System.Collections.Concurrent;

namespace Broker.Gateway.Security;

/// <summary>What a connection has of the listener that accepted it, and how many connections that has. Thread-safe.</summary>
/// <param name="before">What it was until its options changed: it goes on counting there.</param>
internal sealed class ListenerInfo(string name, ListenerInfo? before = null)
{
    /// <summary>Reasons are words of the program: there are not many. In case one is not, so many are kept.</summary>
    private const int MaxReasons = 64;

    private readonly Counts counts = before?.counts ?? new Counts();

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
    public int Connections => Volatile.Read(ref counts.Connections);

    public void Opened() => Interlocked.Increment(ref counts.Connections);

    /// <summary>Why connections ended, and how many.</summary>
    public IReadOnlyDictionary<string, long> Ends => counts.Ends;

    /// <summary>A connection ends.</summary>
    public void Ended(string reason) => counts.Ends.AddOrUpdate(counts.Ends.Count < MaxReasons || counts.Ends.ContainsKey(reason) ? reason : "other", 1, static (_, count) => count + 1);

    public void Closed() => Interlocked.Decrement(ref counts.Connections);

    private sealed class Counts
    {
        public int Connections;

        public ConcurrentDictionary<string, long> Ends { get; } = new(StringComparer.Ordinal);
    }
}
