namespace Broker.Gateway.Transport;

/// <summary>Stops accepting, on all listeners, while too many connections are in their handshake: a connect storm waits in the kernel's backlog. Thread-safe.</summary>
/// <remarks>The handshake is all from accept to CONNACK: PROXY header, TLS, WebSocket upgrade, CONNECT.</remarks>
internal sealed class HandshakeAdmission(int limit)
{
    private readonly Lock gate = new();
    private readonly List<AcceptGate> listeners = [];
    private int running;
    private bool paused;

    /// <summary>Connections in their handshake.</summary>
    public int Running
    {
        get
        {
            lock (gate) return running;
        }
    }

    /// <summary>Governs one more listener.</summary>
    public void Add(AcceptGate listener)
    {
        lock (gate)
        {
            listeners.Add(listener);
            if (paused) listener.Hold();
        }
    }

    /// <summary>A listener is no more.</summary>
    public void Remove(AcceptGate listener)
    {
        lock (gate) listeners.Remove(listener);
    }

    /// <summary>A connection has been opened.</summary>
    public void Begin()
    {
        lock (gate)
        {
            if (++running < limit || paused) return;
            paused = true;
            foreach (var listener in listeners) listener.Hold();
        }
    }

    /// <summary>A connection has finished its handshake or ended in it.</summary>
    public void End()
    {
        lock (gate)
        {
            if (--running > limit / 2 || !paused) return;
            paused = false;
            foreach (var listener in listeners) listener.Release();
        }
    }
}
