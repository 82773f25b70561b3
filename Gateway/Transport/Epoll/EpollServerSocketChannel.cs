using System.Net;
using DotNetty.Common.Internal.Logging;
using DotNetty.Transport.Channels;
using DotNetty.Transport.Channels.Sockets;

namespace Broker.Gateway.Transport.Epoll;

/// <summary>A listening TCP socket. Each accepted connection is read from it as an <see cref="EpollSocketChannel"/>.</summary>
internal sealed class EpollServerSocketChannel : EpollChannel, IServerSocketChannel
{
    // Connections already open must not wait for a storm of new ones.
    private const int MaxAcceptsPerTurn = 64;
    private static readonly TimeSpan ExhaustedPause = TimeSpan.FromMilliseconds(100);
    private static readonly ChannelMetadata SharedMetadata = new(false, 16);
    private static readonly IInternalLogger Logger = InternalLoggerFactory.GetInstance<EpollServerSocketChannel>();

    private readonly EpollServerConfiguration configuration;
    private bool exhausted, paused;
    private long acceptPauses;

    public EpollServerSocketChannel() : base(null, -1) => configuration = new EpollServerConfiguration(this);

    public override IChannelConfiguration Configuration => configuration;

    public override ChannelMetadata Metadata => SharedMetadata;

    /// <summary>How often accepting stopped for 100 ms because the process or the system had no descriptors or memory left; any thread.</summary>
    public long AcceptPauses => Volatile.Read(ref acceptPauses);

    protected override EndPoint? RemoteAddressInternal => null;

    public override unsafe void OnReady(uint mask)
    {
        if (!ReadWanted || paused)
        {
            Unwatch();
            return;
        }

        int accepted = 0;
        byte* address = stackalloc byte[PeerAddress.MaxSockaddrBytes];
        for (int i = 0; i < MaxAcceptsPerTurn && Open && ReadWanted; i++)
        {
            uint length = PeerAddress.MaxSockaddrBytes;
            int fd = LibC.Accept(Descriptor, address, &length, LibC.NonBlock | LibC.CloseOnExec);
            if (fd < 0)
            {
                if (AcceptFailed(LibC.Errno)) continue;
                break;
            }

            accepted++;
            exhausted = false;
            ReadAnswered();
            Pipeline.FireChannelRead(new EpollSocketChannel(this, fd, new PeerAddress(new ReadOnlySpan<byte>(address, (int)length))));
        }

        if (accepted > 0) Pipeline.FireChannelReadComplete();
    }

    protected override IChannelUnsafe NewUnsafe() => new ServerUnsafe(this);

    protected override unsafe void DoBind(EndPoint localAddress)
    {
        if (localAddress is not IPEndPoint) throw new NotSupportedException($"Cannot listen on {localAddress}: not an IP end point.");
        SocketAddress address = localAddress.Serialize();
        int family = localAddress.AddressFamily == System.Net.Sockets.AddressFamily.InterNetwork ? LibC.AddressInet : LibC.AddressInet6;
        int fd = LibC.Socket(family, LibC.SockStream | LibC.NonBlock | LibC.CloseOnExec, 0);
        if (fd < 0) throw SocketFault.Create("socket", LibC.Errno);
        Descriptor = fd;
        if (family == LibC.AddressInet6) TrySetOption(LibC.ProtoIpv6, LibC.Ipv6Only, 0);
        if (configuration.ReuseAddress) TrySetOption(LibC.SolSocket, LibC.SoReuseAddr, 1);
        if (configuration.ReusePort) TrySetOption(LibC.SolSocket, LibC.SoReusePort, 1);
        if (configuration.ReceiveBufferSize > 0) TrySetOption(LibC.SolSocket, LibC.SoRcvBuf, configuration.ReceiveBufferSize);
        fixed (byte* bytes = address.Buffer.Span)
        {
            if (LibC.Bind(fd, bytes, (uint)address.Size) < 0) throw AbandonBind("bind", localAddress, LibC.Errno);
        }

        if (LibC.Listen(fd, configuration.Backlog) < 0) throw AbandonBind("listen", localAddress, LibC.Errno);
        CacheLocalAddress();
    }

    protected override void DoWrite(ChannelOutboundBuffer input) => throw new NotSupportedException("A listener cannot be written to.");

    protected override object FilterOutboundMessage(object msg) => throw new NotSupportedException("A listener cannot be written to.");

    protected override void DoBeginRead()
    {
        // While paused the timer begins the read again.
        if (!paused) base.DoBeginRead();
    }

    private ChannelException AbandonBind(string call, EndPoint localAddress, int errno)
    {
        DoClose();
        return SocketFault.Create($"{call} {localAddress}", errno);
    }

    // True to go on accepting: what failed was one connection that left before we came to it.
    private bool AcceptFailed(int errno)
    {
        if (errno == LibC.Eagain) return false;
        if (errno == LibC.Eintr || LibC.IsConnectionLost(errno)) return true;
        if (errno is LibC.Emfile or LibC.Enfile or LibC.Enobufs or LibC.Enomem) PauseAccepting(errno);
        else Pipeline.FireExceptionCaught(SocketFault.Create("accept4", errno));
        return false;
    }

    // The waiting connection stays in the backlog and would make epoll return at once, forever.
    private void PauseAccepting(int errno)
    {
        Interlocked.Increment(ref acceptPauses);
        paused = true;
        Unwatch();
        EventLoop.Schedule(static channel => ((EpollServerSocketChannel)channel).ResumeAccepting(), this, ExhaustedPause);
        bool first = !exhausted;
        exhausted = true;
        // Last, because a logger may want a descriptor itself, and there is none.
        if (first) Logger.Warn("Accepting on {} stops for 100 ms at a time: {}", LocalAddress, SocketFault.Create("accept4", errno).Message);
    }

    private void ResumeAccepting()
    {
        paused = false;
        if (Open && ReadWanted) Unsafe.BeginRead();
    }

    private sealed class ServerUnsafe(EpollServerSocketChannel channel) : EpollUnsafe(channel);
}
