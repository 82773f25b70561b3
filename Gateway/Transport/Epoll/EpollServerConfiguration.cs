using DotNetty.Transport.Channels;
using DotNetty.Transport.Channels.Sockets;

namespace Broker.Gateway.Transport.Epoll;

/// <summary>The options of a listener; they take effect when it is bound.</summary>
internal sealed class EpollServerConfiguration(EpollServerSocketChannel channel)
    : DefaultChannelConfiguration(channel), IServerSocketChannelConfiguration
{
    /// <summary>Connections the kernel keeps for us to accept; the kernel cuts it to net.core.somaxconn. Default 1,024.</summary>
    public int Backlog { get; set; } = 1024;

    /// <summary>On by default: a restarted broker must not wait for the old connections' TIME_WAIT.</summary>
    public bool ReuseAddress { get; set; } = true;

    /// <summary>Lets several listeners share one port, the kernel dividing the connections between them.</summary>
    public bool ReusePort { get; set; }

    /// <summary>Bytes, inherited by accepted connections; 0, the default, leaves it to the kernel.</summary>
    public int ReceiveBufferSize { get; set; }

    public override T GetOption<T>(ChannelOption<T> option)
    {
        if (ChannelOption.SoBacklog.Equals(option)) return (T)(object)Backlog;
        if (ChannelOption.SoReuseaddr.Equals(option)) return (T)(object)ReuseAddress;
        if (ChannelOption.SoReuseport.Equals(option)) return (T)(object)ReusePort;
        if (ChannelOption.SoRcvbuf.Equals(option)) return (T)(object)ReceiveBufferSize;
        return base.GetOption(option);
    }

    public override bool SetOption<T>(ChannelOption<T> option, T value)
    {
        if (base.SetOption(option, value)) return true;
        if (ChannelOption.SoBacklog.Equals(option)) Backlog = (int)(object)value!;
        else if (ChannelOption.SoReuseaddr.Equals(option)) ReuseAddress = (bool)(object)value!;
        else if (ChannelOption.SoReuseport.Equals(option)) ReusePort = (bool)(object)value!;
        else if (ChannelOption.SoRcvbuf.Equals(option)) ReceiveBufferSize = (int)(object)value!;
        else return false;
        return true;
    }

    protected override void AutoReadCleared() => channel.ClearReadPending();
}
