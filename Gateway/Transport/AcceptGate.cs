using DotNetty.Transport.Channels;

namespace Broker.Gateway.Transport;

/// <summary>Opens and shuts one listening socket: it accepts while nobody holds it. What is not accepted waits in the kernel's backlog. Thread-safe.</summary>
internal sealed class AcceptGate
{
    private readonly Lock gate = new();
    private IChannel? listening;
    private int holds;

    /// <summary>The socket listens from now on.</summary>
    public void Attach(IChannel channel)
    {
        lock (gate)
        {
            listening = channel;
            if (holds > 0) channel.Configuration.AutoRead = false;
        }
    }

    /// <summary>Accepts nothing more; as many <see cref="Release"/> must follow. Under the lock, so that the last word is the right one whichever threads speak.</summary>
    public void Hold()
    {
        lock (gate)
        {
            if (holds++ == 0 && listening is not null) listening.Configuration.AutoRead = false;
        }
    }

    public void Release()
    {
        lock (gate)
        {
            if (--holds == 0 && listening is not null) listening.Configuration.AutoRead = true;
        }
    }
}
