namespace Broker.Tests.Cluster.Harness;

/// <summary>How a client connects.</summary>
internal sealed record ConnectOptions(string ClientId)
{
    /// <summary>Where the broker is.</summary>
    public string Host { get; init; } = "127.0.0.1";

    public bool IsV5 { get; init; }

    public bool CleanStart { get; init; }

    /// <summary>5.0 only, seconds.</summary>
    public uint SessionExpiry { get; init; }

    public (string Topic, string Payload)? Will { get; init; }

    public (string Name, string Password)? User { get; init; }

    /// <summary>5.0 only, seconds.</summary>
    public uint WillDelay { get; init; }

    /// <summary>How long the broker may be silent while it is waited for.</summary>
    public TimeSpan Patience { get; init; } = TimeSpan.FromSeconds(20);
}
