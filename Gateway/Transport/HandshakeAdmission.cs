using DotNetty.Transport.Channels;

namespace Broker.Gateway.Transport;

/// <summary>Stops accepting while too many connections are in their handshake: a connect storm waits in the kernel's backlog. Thread-safe.</summary>
internal sealed class HandshakeAdmission(int limit)
{
    private int running;

    /// <summary>The channel that accepts; set when it listens.</summary>
    public IChannel? Listening { get; set; }

    /// <summary>A connection has been opened.</summary>
    public void Begin()
    {
        if (Interlocked.Increment(ref running) == limit && Listening is { } listening) listening.Configuration.AutoRead = false;
    }

    /// <summary>A connection has finished its handshake or ended in it.</summary>
    public void End()
    {
        if (Interlocked.Decrement(ref running) == limit / 2 && Listening is { } listening) listening.Configuration.AutoRead = true;
    }
}
