namespace Broker.Gateway.Security;

/// <summary>What a connection has of the listener that accepted it, and how many connections that has. Thread-safe.</summary>
internal sealed class ListenerInfo(string name)
{
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

    public void Closed() => Interlocked.Decrement(ref connections);
}
