using DotNetty.Transport.Channels;

namespace Broker.Gateway.Transport;

/// <summary>Stops accepting while too many connections are in their handshake: a connect storm waits in the kernel's backlog. Thread-safe.</summary>
internal sealed class HandshakeAdmission(int limit)
{
    private readonly Lock gate = new();
    private int running;
    private bool paused;

    /// <summary>The channel that accepts; set when it listens.</summary>
    public IChannel? Listening { get; set; }

    /// <summary>A connection has been opened.</summary>
    public void Begin()
    {
        lock (gate)
        {
            if (++running >= limit && !paused) Accept(false);
        }
    }

    /// <summary>A connection has finished its handshake or ended in it.</summary>
    public void End()
    {
        lock (gate)
        {
            if (--running <= limit / 2 && paused) Accept(true);
        }
    }

    /// <summary>Under the lock, so that the last word is the right one whichever loops speak.</summary>
    private void Accept(bool more)
    {
        if (Listening is not { } listening) return;
        paused = !more;
        listening.Configuration.AutoRead = more;
    }
}
