using System.Net;

namespace Broker.Grains.Interfaces.Plugins;

/// <summary>Who a client is, as hooks see it.</summary>
public sealed record ClientContext
{
    public required string ClientId { get; init; }

    public string? UserName { get; init; }

    /// <summary>Where it connects from; null where that is not known.</summary>
    public IPEndPoint? RemoteAddress { get; init; }

    /// <summary>Name of the listener that took it.</summary>
    public required string Listener { get; init; }

    /// <summary>Port of that listener.</summary>
    public int ListenerPort { get; init; }

    /// <summary>MQTT's protocol level: 3, 4 or 5.</summary>
    public int ProtocolVersion { get; init; }

    /// <summary>Clean start, or clean session.</summary>
    public bool CleanStart { get; init; }

    /// <summary>Keep alive in seconds; 0 is off.</summary>
    public int KeepAlive { get; init; }

    /// <summary>Session expiry interval in seconds.</summary>
    public uint SessionExpiryInterval { get; init; }

    /// <summary>What is put before its topics; empty if nothing is.</summary>
    public string Mountpoint { get; init; } = "";

    /// <summary>Access rules do not hold for it.</summary>
    public bool IsSuperuser { get; init; }

    /// <summary>Common name of its certificate; null if it has none.</summary>
    public string? CommonName { get; init; }

    /// <summary>Subject of its certificate; null if it has none.</summary>
    public string? Subject { get; init; }

    public DateTimeOffset ConnectedAt { get; init; }
}
