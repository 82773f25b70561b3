using System.Collections.Concurrent;
using Broker.Grains.Interfaces.Gateways;

namespace Broker.Grains.Sessions;

/// <summary>The links to all gateways that have connections of this process's sessions. Thread-safe.</summary>
internal sealed class PipeLinks : ISiloStatusListener
{
    private readonly ConcurrentDictionary<SiloAddress, PipeLink> links = new();
    private readonly LocalSessions sessions;
    private readonly IGatewayClient gateways;
    private readonly ISiloStatusOracle silos;
    private readonly TimeProvider time;

    public PipeLinks(LocalSessions sessions, IGatewayClient gateways, ISiloStatusOracle silos, TimeProvider time)
    {
        (this.sessions, this.gateways, this.silos, this.time) = (sessions, gateways, silos, time);
        silos.SubscribeToSiloStatusEvents(this);
    }

    /// <summary>True if nothing is on its way.</summary>
    public bool IsIdle => links.Values.All(link => link.IsIdle);

    /// <summary>The link to a gateway.</summary>
    public PipeLink To(SiloAddress gateway) => links.GetOrAdd(gateway, address => new PipeLink(address, gateways.At(address), silos, time));

    /// <summary>A gateway that is dead takes nothing any more: its clients are away.</summary>
    public void SiloStatusChangeNotification(SiloAddress updatedSilo, SiloStatus status)
    {
        if (status != SiloStatus.Dead || !links.TryRemove(updatedSilo, out _)) return;
        foreach (var session in sessions.Enumerate())
        {
            if (session.Owner.Pipe is RemotePipe pipe && pipe.Location.Gateway.Equals(updatedSilo)) session.Detach(pipe);
        }
    }
}
