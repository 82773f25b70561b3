namespace Broker.Grains.Interfaces.Nodes;

/// <summary>A port of this process's HTTP server, for those who list what it listens on.</summary>
/// <param name="name">`management` or `dashboard`.</param>
/// <param name="address">An IP address, or `*` for all.</param>
public sealed class AdminPort(string name, string address, bool isSecure)
{
    private int connections;

    public string Name => name;

    public string Address => address;

    public bool IsSecure => isSecure;

    public int Port { get; set; }

    /// <summary>Connections at this moment.</summary>
    public int Connections => Volatile.Read(ref connections);

    /// <summary>Counts a connection for as long as it is served.</summary>
    public async Task CountAsync(Func<Task> serve)
    {
        Interlocked.Increment(ref connections);
        try
        {
            await serve();
        }
        finally
        {
            Interlocked.Decrement(ref connections);
        }
    }
}

/// <summary>The ports of this process's HTTP server.</summary>
public sealed class AdminPorts
{
    /// <summary>None before it listens.</summary>
    public IReadOnlyList<AdminPort> All { get; set; } = [];
}
