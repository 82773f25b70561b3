using System.Net;

namespace Broker.Gateway.Cli.Bench;

/// <summary>What the connections of a benchmark do.</summary>
internal enum BenchKind
{
    /// <summary>They are there.</summary>
    Conn,
    Pub,
    Sub,

    /// <summary>Half of them subscribe, then the others publish: by this alone latencies need no second clock.</summary>
    PubSub,
}

/// <summary>A benchmark, as its command line says. Intervals in milliseconds; 0 is as fast as it goes.</summary>
internal sealed record BenchOptions
{
    public required BenchKind Kind { get; init; }

    /// <summary>Where connections go, in turn.</summary>
    public required IReadOnlyList<DnsEndPoint> Hosts { get; init; }

    /// <summary>3 (3.1), 4 (3.1.1) or 5.</summary>
    public int Version { get; init; } = 5;

    /// <summary>Clients; with <see cref="BenchKind.PubSub"/> publishers, and as many subscribers.</summary>
    public int Count { get; init; } = 200;

    /// <summary>The number of the first client.</summary>
    public int StartNumber { get; init; }

    /// <summary>Between two connections' beginnings.</summary>
    public int ConnectInterval { get; init; } = 10;

    /// <summary>Between two messages of one publisher.</summary>
    public int MessageInterval { get; init; } = 1000;

    public string? UserName { get; init; }

    public string? Password { get; init; }

    /// <summary>`%c` is the client identifier, `%u` the user name, `%i` the client's number.</summary>
    public string Topic { get; init; } = "";

    /// <summary>Of a payload, in bytes.</summary>
    public int Size { get; init; } = 256;

    public int Qos { get; init; }

    public bool Retain { get; init; }

    /// <summary>Seconds.</summary>
    public int KeepAlive { get; init; } = 300;

    public bool Clean { get; init; } = true;

    public bool Tls { get; init; }

    public string? CertificateFile { get; init; }

    public string? KeyFile { get; init; }

    public bool WebSocket { get; init; }

    /// <summary>Own addresses to connect from, in turn; each has some 28,000 ports to one address of a broker.</summary>
    public IReadOnlyList<IPAddress> Sources { get; init; } = [];

    /// <summary>How long it goes on once all are connected; null until it is stopped.</summary>
    public TimeSpan? Duration { get; init; }

    /// <summary>Messages in all, sent or with <see cref="BenchKind.Sub"/> received; 0 for no end.</summary>
    public long Limit { get; init; }

    /// <summary>Messages of QoS 1 and 2 that a publisher leaves unacknowledged.</summary>
    public int Inflight { get; init; } = 1;

    public bool Publishes => Kind is BenchKind.Pub or BenchKind.PubSub;
}
