using Broker.Grains.Interfaces.Messages;

namespace Broker.Gateway.Security;

/// <summary>Is told of a client's life. Called on an event loop: must not block.</summary>
internal interface IClientObserver
{
    void Connected(ClientInfo client);

    /// <summary>A connection attempt was refused.</summary>
    void Refused(ClientInfo client, ReasonCode code, string reason);

    void Disconnected(ClientInfo client, string reason);
}
