using System.Net;
using Broker.Gateway.Mqtt.Packets;
using Broker.Grains.Interfaces.Clients;

namespace Broker.Gateway.Security;

/// <summary>Who a connection belongs to, as far as it is known.</summary>
internal sealed record ClientInfo
{
    public required string ClientId { get; init; }

    public string? UserName { get; init; }

    public required ProtocolVersion Version { get; init; }

    public required bool CleanStart { get; init; }

    /// <summary>Keep alive in effect, in seconds; 0 is off.</summary>
    public required int KeepAlive { get; init; }

    /// <summary>Session expiry interval in effect, in seconds.</summary>
    public uint ExpirySeconds { get; init; }

    public EndPoint? RemoteAddress { get; init; }

    public DateTimeOffset ConnectedAt { get; init; }

    /// <summary>Access rules do not hold for it: the source that authenticated it says so.</summary>
    public bool IsSuperuser { get; init; }

    /// <summary>This client as the registry knows it.</summary>
    public ClientRegistration Register(ClientLocation at) => new(ClientId, at, ExpirySeconds > 0, ConnectedAt.ToUnixTimeMilliseconds());
}
