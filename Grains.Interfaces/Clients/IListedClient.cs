using System.Net;

namespace Broker.Grains.Interfaces.Clients;

/// <summary>A client as far as lists of clients are filtered by it. Times are Unix seconds.</summary>
public interface IListedClient
{
    string ClientId { get; }

    string? UserName { get; }

    /// <summary>Where it connects from, IPv4 as IPv4; null if that is not known.</summary>
    IPAddress? Address { get; }

    bool IsConnected { get; }

    bool CleanStart { get; }

    /// <summary>The protocol level of CONNECT.</summary>
    int ProtocolVersion { get; }

    long ConnectedAt { get; }

    /// <summary>When its session was made.</summary>
    long CreatedAt { get; }

    /// <summary>Messages that wait for it.</summary>
    int Queued { get; }

    /// <summary>Messages that a full queue has lost.</summary>
    long Dropped { get; }
}
