namespace Broker.Gateway.Mqtt;

/// <summary>How far a connection has got.</summary>
internal enum ConnectionPhase
{
    /// <summary>Open; CONNECT is awaited.</summary>
    AwaitingConnect,

    /// <summary>CONNECT is being answered.</summary>
    Connecting,

    /// <summary>CONNACK with success was sent.</summary>
    Connected,

    /// <summary>Nothing is read or delivered any more.</summary>
    Ending,
}
