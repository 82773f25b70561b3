using Broker.Gateway.Links;
using Broker.Gateway.Mqtt;
using Broker.Grains.Interfaces.Clients;
using Broker.Grains.Interfaces.Sessions;

namespace Broker.Gateway.Sessions;

/// <summary>Makes the gateway's end of a durable session: direct if the session is in this process, by links if not.</summary>
internal sealed class DurableSessions(ILocalSessions local, SessionLinks links)
{
    /// <summary>The end of a session that has just been opened.</summary>
    /// <param name="limits">What it was opened with.</param>
    /// <returns>Null if it is not known where the session is.</returns>
    public ISession? Reach(
        Connection connection, ClientLocation location, string clientId, ISessionGrain grain, in OpenSessionResult opened, SessionLimits limits)
    {
        if (local.Find(clientId) is { } here) return new DurableSessionProxy(here, grain, connection, location, opened);
        return opened.Place is null ? null : new RemoteSession(connection, location, clientId, grain, links, opened, limits);
    }
}
