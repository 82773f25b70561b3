using DotNetty.Transport.Channels;
using DotNetty.Transport.Channels.Sockets;

namespace Broker.Gateway.Transport.Epoll;

/// <summary>The options of an accepted connection; those of the socket go straight to the kernel.</summary>
internal sealed class EpollSocketConfiguration : DefaultChannelConfiguration, ISocketChannelConfiguration
{
    // 256 KB a write: after a megabyte other connections get their turn.
    private const int DefaultWritesPerFlush = 4;

    // The base class wants one; the channel sizes its buffers with ReceiveSize, and one shared object costs no connection anything.
    private static readonly IRecvByteBufAllocator Unused = new FixedRecvByteBufAllocator(2048);

    private readonly EpollSocketChannel socket;

    public EpollSocketConfiguration(EpollSocketChannel channel) : base(channel, Unused)
    {
        socket = channel;
        WriteSpinCount = DefaultWritesPerFlush;
    }

    /// <summary>Always false: a connection whose peer has finished is closed. Setting true is refused.</summary>
    public bool AllowHalfClosure
    {
        get => false;
        set
        {
            if (value) throw new NotSupportedException("Half-closed connections are not kept.");
        }
    }

    public int ReceiveBufferSize
    {
        get => socket.GetOption(LibC.SolSocket, LibC.SoRcvBuf);
        set => socket.TrySetOption(LibC.SolSocket, LibC.SoRcvBuf, value);
    }

    public int SendBufferSize
    {
        get => socket.GetOption(LibC.SolSocket, LibC.SoSndBuf);
        set => socket.TrySetOption(LibC.SolSocket, LibC.SoSndBuf, value);
    }

    /// <summary>Seconds that a close waits for unsent data, 0 to reset the connection; -1, the default, sends in the background.</summary>
    public int Linger
    {
        get => socket.LingerSeconds;
        set => socket.LingerSeconds = value;
    }

    public bool KeepAlive
    {
        get => socket.GetOption(LibC.SolSocket, LibC.SoKeepAlive) != 0;
        set => socket.TrySetOption(LibC.SolSocket, LibC.SoKeepAlive, value ? 1 : 0);
    }

    public bool ReuseAddress
    {
        get => socket.GetOption(LibC.SolSocket, LibC.SoReuseAddr) != 0;
        set => socket.TrySetOption(LibC.SolSocket, LibC.SoReuseAddr, value ? 1 : 0);
    }

    public bool TcpNoDelay
    {
        get => socket.GetOption(LibC.ProtoTcp, LibC.TcpNoDelay) != 0;
        set => socket.TrySetOption(LibC.ProtoTcp, LibC.TcpNoDelay, value ? 1 : 0);
    }

    public override T GetOption<T>(ChannelOption<T> option)
    {
        if (ChannelOption.TcpNodelay.Equals(option)) return (T)(object)TcpNoDelay;
        if (ChannelOption.SoKeepalive.Equals(option)) return (T)(object)KeepAlive;
        if (ChannelOption.SoSndbuf.Equals(option)) return (T)(object)SendBufferSize;
        if (ChannelOption.SoRcvbuf.Equals(option)) return (T)(object)ReceiveBufferSize;
        if (ChannelOption.SoLinger.Equals(option)) return (T)(object)Linger;
        if (ChannelOption.SoReuseaddr.Equals(option)) return (T)(object)ReuseAddress;
        if (ChannelOption.AllowHalfClosure.Equals(option)) return (T)(object)AllowHalfClosure;
        return base.GetOption(option);
    }

    public override bool SetOption<T>(ChannelOption<T> option, T value)
    {
        if (base.SetOption(option, value)) return true;
        if (ChannelOption.TcpNodelay.Equals(option)) TcpNoDelay = (bool)(object)value!;
        else if (ChannelOption.SoKeepalive.Equals(option)) KeepAlive = (bool)(object)value!;
        else if (ChannelOption.SoSndbuf.Equals(option)) SendBufferSize = (int)(object)value!;
        else if (ChannelOption.SoRcvbuf.Equals(option)) ReceiveBufferSize = (int)(object)value!;
        else if (ChannelOption.SoLinger.Equals(option)) Linger = (int)(object)value!;
        else if (ChannelOption.SoReuseaddr.Equals(option)) ReuseAddress = (bool)(object)value!;
        else if (ChannelOption.AllowHalfClosure.Equals(option)) AllowHalfClosure = (bool)(object)value!;
        else return false;
        return true;
    }

    protected override void AutoReadCleared() => socket.ClearReadPending();
}
