using Broker.Grains.Interfaces.Clients;
using Broker.Grains.Interfaces.Messages;
using Broker.Grains.Interfaces.Sessions;

namespace Broker.Grains.Sessions;

/// <summary>Which connection a durable session is open for, so that nothing that another one says late is taken for this one's (promise 4).</summary>
/// <remarks>Takes the session's lock by itself.</remarks>
internal sealed class SessionOwner(Lock gate, DeliveryPump pump)
{
    private ClientLocation? location;

    /// <summary>The way to the connection, as of just now; null while the client is away.</summary>
    public ISessionPipe? Pipe => pump.Pipe;

    /// <summary>A connection has opened the session: no other may attach, and one that still is, is closed.</summary>
    public void Set(ClientLocation connection)
    {
        lock (gate)
        {
            location = connection;
            pump.Pipe?.Close(ReasonCode.SessionTakenOver);
            pump.Detach();
        }
    }

    /// <summary>A connection has ended, whether it could say so to the session or not.</summary>
    public void Leave(ClientLocation connection)
    {
        lock (gate)
        {
            if (location != connection) return;
            location = null;
            pump.Detach();
        }
    }

    /// <summary>Nobody may attach any more.</summary>
    public void Clear()
    {
        lock (gate) location = null;
    }

    /// <summary>Gives the session its connection in another process, whose request may be late.</summary>
    /// <returns>False if the session is not that connection's; then nothing was done.</returns>
    public bool TryAttach(RemotePipe connection)
    {
        lock (gate)
        {
            if (location != connection.Location) return false;
            pump.Attach(connection);
            return true;
        }
    }

    /// <summary>Does what a connection in another process asks.</summary>
    /// <returns>Its pipe; null if the session has another connection or none: then nothing was done.</returns>
    public RemotePipe? TryExecute(in ClientLocation from, in SessionCommand command)
    {
        lock (gate)
        {
            if (pump.Pipe is not RemotePipe pipe || pipe.Location != from) return null;
            pipe.Execute(command);
            return pipe;
        }
    }
}
