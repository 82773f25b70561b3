using System.Collections.Concurrent;
using Broker.Gateway.Sessions;
using Broker.Grains.Interfaces.Messages;
using Broker.Grains.Interfaces.Sessions;

namespace Broker.Gateway.Links;

/// <summary>This gateway's ways to the durable sessions of other processes, and those sessions' way back. Thread-safe.</summary>
internal sealed class SessionLinks : ISiloStatusListener
{
    private readonly ConcurrentDictionary<SiloAddress, SessionLink> links = new();
    private readonly ConcurrentDictionary<ulong, RemoteSession> sessions = new();
    private readonly ISessionClient services;
    private readonly ILocalSiloDetails self;
    private readonly ISiloStatusOracle silos;
    private readonly TimeProvider time;

    public SessionLinks(ISessionClient services, ILocalSiloDetails self, ISiloStatusOracle silos, TimeProvider time)
    {
        (this.services, this.self, this.silos, this.time) = (services, self, silos, time);
        silos.SubscribeToSiloStatusEvents(this);
    }

    /// <summary>True if nothing is on its way.</summary>
    public bool IsIdle => links.Values.All(link => link.IsIdle);

    /// <summary>The link to a process.</summary>
    public SessionLink To(SiloAddress silo) => links.GetOrAdd(silo, address => new SessionLink(address, services.At(address), self.SiloAddress, silos, time));

    /// <summary>A connection's session may send to it from now on.</summary>
    public void Add(ulong connection, RemoteSession session) => sessions[connection] = session;

    /// <summary>The connection has left.</summary>
    public void Remove(ulong connection) => sessions.TryRemove(connection, out _);

    /// <summary>Hands on what sessions tell their connections; what is for one that has gone is dropped, as it goes out again at the next.</summary>
    public void Receive(ReadOnlySpan<PipeItem> items)
    {
        foreach (ref readonly var item in items)
        {
            if (sessions.TryGetValue(item.Connection, out var session)) session.Receive(item);
        }
    }

    /// <summary>The sessions of a process that is dead come up elsewhere: their clients are to connect again.</summary>
    public void SiloStatusChangeNotification(SiloAddress updatedSilo, SiloStatus status)
    {
        if (status != SiloStatus.Dead || !links.TryRemove(updatedSilo, out _)) return;
        foreach (var (_, session) in sessions)
        {
            if (session.Silo.Equals(updatedSilo)) session.Lose(ReasonCode.ServerShuttingDown);
        }
    }
}
