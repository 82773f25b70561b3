using System.Net;
using DotNetty.Common.Concurrency;
using DotNetty.Transport.Channels;

namespace Broker.Gateway.Transport.Epoll;

/// <summary>A channel over one non-blocking descriptor: what the listening and the connected socket have in common.</summary>
/// <remarks>
/// Runs on its loop's thread, save for the addresses and socket options, which any thread may ask for, and for the forcible
/// close of a channel that never got a loop.
/// </remarks>
internal abstract class EpollChannel : AbstractChannel
{
    private EpollEventLoop? loop;
    private ulong tag;
    private uint watched;
    private volatile int fd;
    private volatile bool closed;
    private volatile bool readPending;

    /// <param name="descriptor">Owned from here on; -1 when it is opened later.</param>
    protected EpollChannel(IChannel? parent, int descriptor) : base(parent) => fd = descriptor;

    public override bool Open => !closed;

    public override bool Active => fd >= 0;

    /// <summary>-1 when not yet open, and from the close on.</summary>
    protected int Descriptor
    {
        get => fd;
        set => fd = value;
    }

    protected EpollEventLoop Loop => loop!;

    /// <summary>Whether the socket's input is wanted: auto-read is on, or one Read has not been answered.</summary>
    protected bool ReadWanted => readPending || Configuration.AutoRead;

    /// <summary>Whether events of these kinds are being watched for.</summary>
    protected bool IsWatching(uint mask) => (watched & mask) != 0;

    /// <summary>Handles the socket's events; the channel may be closed when this returns.</summary>
    public abstract void OnReady(uint mask);

    /// <summary>Forgets an unanswered Read, because auto-read was switched off; any thread.</summary>
    /// <remarks>Events already watched for are switched off when the next one comes.</remarks>
    public void ClearReadPending()
    {
        ReadAnswered();
        if (loop is null or { InEventLoop: true } or { IsShuttingDown: true }) return;
        try
        {
            // The loop may just now be beginning the read that auto-read, still on, had asked for.
            loop.Execute(static channel => ((EpollChannel)channel).readPending = false, this);
        }
        catch (RejectedExecutionException)
        {
            // Shut down meanwhile: nothing is read any more.
        }
    }

    /// <summary>Sets an int option. False when the socket is not open or refuses.</summary>
    public unsafe bool TrySetOption(int level, int name, int value)
    {
        int descriptor = fd;
        return descriptor >= 0 && LibC.SetSocketOption(descriptor, level, name, &value, sizeof(int)) == 0;
    }

    /// <summary>Reads an int option; 0 when the socket is not open.</summary>
    public unsafe int GetOption(int level, int name)
    {
        int descriptor = fd, value = 0;
        uint length = sizeof(int);
        return descriptor >= 0 && LibC.GetSocketOption(descriptor, level, name, &value, &length) == 0 ? value : 0;
    }

    /// <summary>Notes that something has been read.</summary>
    protected void ReadAnswered() => readPending = false;

    protected override IChannelId NewId() => new EpollChannelId();

    protected override bool IsCompatible(IEventLoop eventLoop) => eventLoop is EpollEventLoop;

    protected override unsafe EndPoint? LocalAddressInternal
    {
        get
        {
            byte* address = stackalloc byte[PeerAddress.MaxSockaddrBytes];
            uint length = PeerAddress.MaxSockaddrBytes;
            int descriptor = fd;
            if (descriptor < 0 || LibC.GetSocketName(descriptor, address, &length) < 0) return null;
            // A close meanwhile may have handed the number to another socket: its address is not ours.
            return fd == descriptor ? new PeerAddress(new ReadOnlySpan<byte>(address, PeerAddress.MaxSockaddrBytes)).ToEndPoint() : null;
        }
    }

    protected override void DoRegister()
    {
        loop = (EpollEventLoop)EventLoop;
        tag = loop.Register(this);
    }

    protected override void DoDeregister()
    {
        if (tag == 0) return;
        Unwatch();
        loop!.Deregister(tag);
        tag = 0;
    }

    protected override void DoBeginRead()
    {
        readPending = true;
        Watch(LibC.EpollIn | LibC.EpollRdHup);
    }

    protected override void DoDisconnect() => DoClose();

    protected override void DoClose()
    {
        closed = true;
        DoDeregister();
#pragma warning disable CS0420 // an interlocked access is at least as strong as a volatile one
        int descriptor = Interlocked.Exchange(ref fd, -1);
#pragma warning restore CS0420
        if (descriptor >= 0) _ = LibC.Close(descriptor);
    }

    /// <summary>Adds kinds of events to those watched for; no system call when they already are.</summary>
    protected void Watch(uint mask)
    {
        if ((watched & mask) == mask || fd < 0) return;
        uint wanted = watched | mask;
        if (watched == 0) loop!.Watch(fd, wanted, tag);
        else loop!.Rewatch(fd, wanted, tag);
        watched = wanted;
    }

    /// <summary>Takes kinds of events away. With none left the descriptor leaves epoll, for epoll would go on reporting its errors.</summary>
    protected void Unwatch(uint mask = uint.MaxValue)
    {
        if ((watched & mask) == 0) return;
        uint wanted = watched & ~mask;
        watched = wanted;
        if (fd < 0) return;
        if (wanted == 0) loop!.Unwatch(fd);
        else loop!.Rewatch(fd, wanted, tag);
    }

    /// <summary>The part of a channel that DotNetty's pipeline calls; connecting out is not offered.</summary>
    protected abstract class EpollUnsafe(EpollChannel channel) : AbstractUnsafe(channel)
    {
        public override Task ConnectAsync(EndPoint remoteAddress, EndPoint localAddress)
            => Task.FromException(new NotSupportedException("The epoll transport accepts connections; it does not open them."));
    }
}
