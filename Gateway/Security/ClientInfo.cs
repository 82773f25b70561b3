using System.Net;
using Broker.Gateway.Mqtt.Packets;
using Broker.Grains.Interfaces.Clients;
using Broker.Grains.Interfaces.Plugins;

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

    /// <summary>Name of the listener that accepted it.</summary>
    public string Listener { get; init; } = ListenerInfo.None.Name;

    /// <summary>Port of that listener.</summary>
    public int ListenerPort { get; init; }

    /// <summary>False if that listener takes its clients as they are.</summary>
    public bool AuthenticationRequired { get; init; } = true;

    /// <summary>Common name of the client's certificate, or its PSK identity.</summary>
    public string? CommonName { get; init; }

    /// <summary>Distinguished name of the client's certificate.</summary>
    public string? Subject { get; init; }

    /// <summary>Prefix of its topics, as far as it is known before it is authenticated.</summary>
    public string Mountpoint { get; init; } = "";

    public DateTimeOffset ConnectedAt { get; init; }

    /// <summary>Access rules do not hold for it: the source that authenticated it says so.</summary>
    public bool IsSuperuser { get; init; }

    /// <inheritdoc cref="ClientGrants.Rules"/>
    public GrantedRules? Rules { get; init; }

    /// <summary>This client as hooks see it.</summary>
    public ClientContext ToContext() => new()
    {
        ClientId = ClientId,
        UserName = UserName,
        RemoteAddress = RemoteAddress as IPEndPoint,
        Listener = Listener,
        ListenerPort = ListenerPort,
        ProtocolVersion = (int)Version,
        CleanStart = CleanStart,
        KeepAlive = KeepAlive,
        SessionExpiryInterval = ExpirySeconds,
        Mountpoint = Mountpoint,
        IsSuperuser = IsSuperuser,
        CommonName = CommonName,
        Subject = Subject,
        ConnectedAt = ConnectedAt,
    };

    /// <summary>This client as the registry knows it.</summary>
    public ClientRegistration Register(ClientLocation at) => new(ClientId, at, ExpirySeconds > 0, ConnectedAt.ToUnixTimeMilliseconds());
}
